"""The workflows do what `make` does, may do nothing more than they need, and miss no component."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import components

ROOT = Path(__file__).parents[3]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
FILES = [*WORKFLOWS, *ACTIONS]

_MAKE = re.compile(r"make((?: [a-z0-9-]+)+)(?: [A-Z]+=(?:\"[^\"]*\"|\S+))*")
_TARGETS = re.compile(r"^([a-z0-9-]+(?: [a-z0-9-]+)*):(?!=)", re.MULTILINE)
_PINNED = re.compile(r"uses: (?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)$")


@cache
def workflow(path: Path) -> dict[Any, Any]:
    """A parsed workflow; YAML 1.1 reads its key `on` as True."""
    parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in parsed.items()}


def steps(path: Path) -> Iterator[dict[str, Any]]:
    """Every step of a workflow or composite action."""
    parsed = workflow(path)
    if "runs" in parsed:
        yield from parsed["runs"]["steps"]
    for job in parsed.get("jobs", {}).values():
        yield from job.get("steps", ())


def make_targets() -> set[str]:
    """The targets that the Makefile and its includes define."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for included in re.findall(r"^include (.+)$", text, re.MULTILINE):
        text += (ROOT / included).read_text(encoding="utf-8")
    return {name for names in _TARGETS.findall(text) for name in names.split()}


def reached_from(path: Path) -> set[Path]:
    """A workflow and the reusable ones that it calls."""
    calls = (job.get("uses", "") for job in workflow(path)["jobs"].values())
    return {path} | {called for call in calls if call.startswith("./") for called in reached_from(ROOT / call)}


def test_there_are_workflows() -> None:
    assert {path.name for path in WORKFLOWS} >= {
        "_dbt.yml",
        "_image.yml",
        "_python.yml",
        "cd.yml",
        "ci.yml",
        "release-please.yml",
        "release.yml",
        "security.yml",
    }
    assert {"test", "unit", "affected", "image-sign"} <= make_targets()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_run_step_is_a_make_target_that_exists(path: Path) -> None:
    for step in steps(path):
        if "run" in step:
            called = _MAKE.fullmatch(step["run"].strip())
            assert called, f"{path.name}: {step['run']!r} is not one call of make"
            missing = set(called[1].split()) - make_targets()
            assert not missing, f"{path.name} calls {', '.join(missing)}, which the Makefile does not have"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_action_is_pinned_by_commit_and_says_its_version(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        if "uses: " in line and "uses: ./" not in line:
            assert _PINNED.search(line.strip()), f"{path.name}: {line.strip()}"


def test_an_action_has_one_pin_everywhere() -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for path in FILES:
        for pin in _PINNED.finditer(path.read_text(encoding="utf-8").replace("\n", "\n\n")):
            pins.setdefault(pin["action"], set()).add((pin["commit"], pin["version"]))
    assert {action: pin for action, pin in pins.items() if len(pin) > 1} == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_permitted_by_default_and_each_job_says_what_it_needs(path: Path) -> None:
    parsed = workflow(path)
    assert parsed["permissions"] == {}
    for name, job in parsed["jobs"].items():
        assert job.get("permissions"), f"{path.name}: {name}"
        assert "uses" in job or job["timeout-minutes"] <= 90, f"{path.name}: {name}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_pull_request_sees_no_secret_and_writes_nothing(path: Path) -> None:
    if "pull_request" not in workflow(path)["on"]:
        return
    for reached in reached_from(path):
        text = reached.read_text(encoding="utf-8")
        assert "secrets." not in text, reached.name
        assert "secrets: inherit" not in text, reached.name
        for job in workflow(reached)["jobs"].values():
            assert job["permissions"] == {"contents": "read"}, reached.name
            assert "environment" not in job, reached.name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_runs_foreign_code_with_our_rights(path: Path) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow(path)["on"])


def test_the_one_required_check_needs_every_other_job() -> None:
    jobs = workflow(GITHUB / "workflows" / "ci.yml")["jobs"]
    assert set(jobs["required"]["needs"]) == set(jobs) - {"required"}
    assert jobs["required"]["if"] == "always()"


def test_every_component_with_an_image_is_released_by_its_tag() -> None:
    released = workflow(GITHUB / "workflows" / "release.yml")["on"]["push"]["tags"]
    images = [component.name for component in components.load(ROOT).values() if not component.is_library]
    assert sorted(released) == sorted(f"{name}-v*" for name in images)
