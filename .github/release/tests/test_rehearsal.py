"""Releases, rehearsed by the real release-please on a local clone: versions, changelogs, tags, and nothing else."""

from pathlib import Path

import pytest

import release_check
import uv_projects
from components import ReleaseError
from rehearsal import Rehearsal

MANIFEST = ".release-please-manifest.json"


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


def dependants_of_bank_common(rehearsal: Rehearsal) -> set[str]:
    projects = uv_projects.load(rehearsal.root)
    folders = {projects[name].folder for name in uv_projects.dependants(projects, {"bank-common"})}
    return {name for name, component in rehearsal.components.items() if component.folder in folders} - {"bank-common"}


def test_a_bump_changes_one_components_version_changelog_and_tag_and_nothing_else(rehearsal: Rehearsal) -> None:
    before, tags = rehearsal.versions, rehearsal.tags
    assert rehearsal.candidates() == {}
    assert release_check.check_pending(rehearsal.root) == []
    rehearsal.change("services/generator/src/generator/model/bank.py", "feat(generator): standing orders")
    offered = rehearsal.candidates()
    assert set(offered) == {"generator"}
    release = offered["generator"]

    folder = "services/generator"
    changed = rehearsal.changed_lines(release)
    assert set(changed) == {f"{folder}/pyproject.toml", f"{folder}/CHANGELOG.md", "uv.lock", MANIFEST}
    old, new = before["generator"], release.version
    assert changed[f"{folder}/pyproject.toml"] == changed["uv.lock"] == [f'-version = "{old}"', f'+version = "{new}"']
    assert changed[MANIFEST] == [f'-  "{folder}": "{old}",', f'+  "{folder}": "{new}",']
    changelog = changed[f"{folder}/CHANGELOG.md"]
    assert all(line.startswith("+") for line in changelog)
    assert any("standing orders" in line for line in changelog)

    rehearsal.take("generator", release)
    rehearsal.tag("generator")
    assert rehearsal.versions == before | {"generator": new}
    assert rehearsal.tags - tags == {f"generator-v{new}"}
    assert rehearsal.stale_locks() == []
    assert release_check.check(rehearsal.root, f"generator-v{new}").version == new
    assert rehearsal.candidates() == {}


def test_a_release_of_bank_common_offers_a_release_of_each_dependant(rehearsal: Rehearsal) -> None:
    before = rehearsal.versions
    rehearsal.change("libs/bank_common/src/bank_common/landing/segments.py", "fix(bank_common): a longer key")
    offered = rehearsal.candidates()
    assert set(offered) == {"bank-common"}
    dependants = dependants_of_bank_common(rehearsal)
    assert dependants == {"airflow", "cdc-consumer", "event-receiver", "generator"}
    changed = rehearsal.changed_lines(offered["bank-common"])
    bound = f">={offered['bank-common'].version}"
    for name in dependants:
        took, gave = changed[f"{rehearsal.components[name].folder}/pyproject.toml"]
        assert (took.replace(f">={before['bank-common']}", bound).removeprefix("-")) == gave.removeprefix("+")

    rehearsal.take("bank-common", offered["bank-common"])
    assert [pending.name for pending in release_check.check_pending(rehearsal.root)] == ["bank-common"]
    rehearsal.tag("bank-common")
    assert rehearsal.stale_locks() == []
    assert rehearsal.versions == before | {"bank-common": offered["bank-common"].version}
    followers = rehearsal.candidates()
    assert set(followers) == dependants
    assert all(
        f"release bank-common {offered['bank-common'].version}" in pending.body for pending in followers.values()
    )

    # One is taken now, the others stay on offer.
    rehearsal.take("generator", followers["generator"])
    assert [pending.name for pending in release_check.check_pending(rehearsal.root)] == ["generator"]
    rehearsal.tag("generator")
    assert rehearsal.stale_locks() == []
    assert release_check.check(rehearsal.root, rehearsal.components["generator"].tag).name == "generator"
    assert set(rehearsal.candidates()) == dependants - {"generator"}


def test_an_image_with_unreleased_library_code_is_refused(rehearsal: Rehearsal) -> None:
    rehearsal.change("libs/bank_common/src/bank_common/landing/segments.py", "fix(bank_common): a longer key")
    rehearsal.change("services/generator/src/generator/model/bank.py", "fix(generator): no overdraft")
    offered = rehearsal.candidates()
    assert set(offered) == {"bank-common", "generator"}
    rehearsal.take("generator", offered["generator"])
    with pytest.raises(ReleaseError, match="has to wait: merge the release PR of bank-common first"):
        release_check.check_pending(rehearsal.root)
    rehearsal.tag("generator")
    with pytest.raises(ReleaseError, match="unreleased changes of bank-common"):
        release_check.check(rehearsal.root, rehearsal.components["generator"].tag)


def test_a_librarys_tests_and_documents_hold_no_release_up(rehearsal: Rehearsal) -> None:
    rehearsal.change("libs/bank_common/tests/unit/test_landing.py", "test(bank_common): one more case")
    rehearsal.change("libs/bank_common/CHANGELOG.md", "docs(bank_common): a word")
    rehearsal.change("services/generator/src/generator/model/bank.py", "fix(generator): no overdraft")
    offered = rehearsal.candidates()
    assert set(offered) == {"generator"}
    rehearsal.take("generator", offered["generator"])
    rehearsal.tag("generator")
    assert release_check.check(rehearsal.root, rehearsal.components["generator"].tag).name == "generator"


def test_what_users_do_not_see_is_no_release(rehearsal: Rehearsal) -> None:
    for message in ("docs(generator): a word", "test(generator): a case", "ci: faster", "chore: tidy"):
        rehearsal.change("services/generator/README.md", message)
    assert rehearsal.candidates() == {}


def test_a_breaking_change_before_1_0_is_a_minor_version(rehearsal: Rehearsal) -> None:
    rehearsal.change("services/generator/src/generator/model/bank.py", "feat(generator)!: other options")
    old = rehearsal.versions["generator"].split(".")
    assert rehearsal.candidates()["generator"].version == f"{old[0]}.{int(old[1]) + 1}.0"


def test_a_tag_that_is_no_present_version_is_refused(rehearsal: Rehearsal) -> None:
    for tag in ("generator-v9.9.9", "bank-v0.1.0", "v0.1.0", ""):
        with pytest.raises(ReleaseError, match="no component's present version"):
            release_check.check(rehearsal.root, tag)


def test_the_check_says_what_is_released_also_to_the_step(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = rehearsal.root / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    version = rehearsal.versions["generator"]
    assert release_check.main([f"generator-v{version}", "--root", str(rehearsal.root)]) == 0
    said = f"component=generator\nfolder=services/generator\nversion={version}\n"
    assert capsys.readouterr().out == outputs.read_text(encoding="utf-8") == said
    assert release_check.main(["generator-v9.9.9", "--root", str(rehearsal.root)]) == 2
    assert "merging a release PR" in capsys.readouterr().err


def test_before_the_first_tags_every_component_is_pending_and_none_waits(rehearsal: Rehearsal) -> None:
    for tag in rehearsal.tags:
        uv_projects.git(rehearsal.root, "tag", "--delete", tag)
    assert {pending.name for pending in release_check.check_pending(rehearsal.root)} == set(rehearsal.components)
