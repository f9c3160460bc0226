"""affected.py on a git repository of this test's own, with the locks and manifests of this one."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import affected
import uv_projects
from uv_projects import Project, ProjectsError

ROOT = Path(__file__).parents[3]
EVERYTHING = {
    "bank-common",
    "bank-dags",
    "bankctl",
    "banking-dbt",
    "cdc-consumer",
    "event-receiver",
    "generator",
    "snowflake-local",
    "tests-e2e",
}


def local_packages(lock: str) -> str:
    """A lock without what comes from a registry: parsing that would take most of these tests' time."""
    head, *packages = lock.split("\n[[package]]\n")
    return "\n[[package]]\n".join([head, *(part for part in packages if "\nsource = { registry" not in part)])


class Repository:
    """A clone-like work tree: uv's metadata as committed here, and one source file in each project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tracked = uv_projects.git(ROOT, "ls-files", "-z", "--", "*pyproject.toml", "*uv.lock", "*dbt_project.yml")
        for name in filter(None, tracked.split("\0")):
            text = (ROOT / name).read_text(encoding="utf-8")
            self.write(name, local_packages(text) if name.endswith("uv.lock") else text)
        for manifest in list(folder.rglob("pyproject.toml")):
            tool = tomllib.loads(manifest.read_text(encoding="utf-8")).get("tool", {})
            for read in tool.get("affected", {}).get("reads", ()):
                self.write(read if (ROOT / read).is_file() else f"{read}/kept.txt", "")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.base = self.commit()

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
        return uv_projects.git(self.folder, *identity, *arguments)

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD").strip()

    def change(self, *paths: str) -> set[str]:
        """The projects that a commit of these paths affects."""
        for path in paths:
            self.write(path, "changed")
        self.commit()
        return self.affected(self.base)

    def affected(self, base: str) -> set[str]:
        plan = affected.plan(self.folder, base)
        return {member.name for member in plan.python} | ({"banking-dbt"} if plan.dbt else set())


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_file_of_one_service_marks_that_service_and_the_end_to_end_suite(repository: Repository) -> None:
    assert repository.change("services/generator/src/generator/model/bank.py") == {"generator", "tests-e2e"}


def test_bank_common_marks_everything_that_depends_on_it_also_from_another_lock(repository: Repository) -> None:
    affected_projects = repository.change("libs/bank_common/src/bank_common/landing/segments.py")
    assert affected_projects == EVERYTHING - {"snowflake-local", "banking-dbt"}


def test_what_a_project_reads_marks_it_and_what_depends_on_it(repository: Repository) -> None:
    affected_projects = repository.change("infra/postgres/migrations/0009_cards.sql")
    # The contract tests of generator and event-receiver start their components through bankctl.
    assert affected_projects == {"bankctl", "event-receiver", "generator", "tests-e2e"}
    assert repository.change("infra/warehouse/ledger.sql") == affected_projects | {"bank-dags", "banking-dbt"}


def test_the_stand_in_marks_the_dbt_tests_that_run_on_it(repository: Repository) -> None:
    affected_projects = repository.change("infra/snowflake-local/src/snowflake_local/server.py")
    assert affected_projects == {"snowflake-local", "banking-dbt", "tests-e2e"}


@pytest.mark.parametrize(
    "path",
    [
        "infra/platform.toml",
        "pyproject.toml",
        "uv.lock",
        "Makefile",
        ".ci/run",
        ".github/workflows/ci.yml",
        "release-please-config.json",
        "a-new-folder/file.txt",
    ],
)
def test_what_no_project_owns_marks_everything(repository: Repository, path: str) -> None:
    original = (ROOT / path).read_text(encoding="utf-8") if path.endswith((".lock", "pyproject.toml")) else ""
    repository.write(path, original + "\n# changed\n")
    repository.commit()
    assert repository.affected(repository.base) == EVERYTHING


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "services/generator/CHANGELOG.md",
        "infra/runbooks/deploy.md",
        "LICENSE",
        "infra/kafka/adr/0001-x.txt",
        "benchmarks/consumer/fill.py",
    ],
)
def test_a_document_and_a_benchmark_mark_nothing(repository: Repository, path: str) -> None:
    assert repository.change(path) == set()


def test_a_document_beside_code_takes_nothing_away(repository: Repository) -> None:
    code = "services/generator/src/generator/model/bank.py"
    assert repository.change("README.md", code) == {"generator", "tests-e2e"}


def test_a_moved_file_marks_both_ends(repository: Repository) -> None:
    repository.write("services/generator/src/generator/clock.py", "the same text\n" * 20)
    base = repository.commit()
    (repository.folder / "services/event-receiver/src").mkdir(parents=True)
    repository.git("mv", "services/generator/src/generator/clock.py", "services/event-receiver/src/clock.py")
    repository.commit()
    assert repository.affected(base) == {"generator", "event-receiver", "tests-e2e"}


def test_only_what_this_branch_changed_counts(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "feature")
    repository.change("services/generator/src/generator/model/bank.py")
    repository.git("switch", "--quiet", "main")
    repository.change("services/cdc-consumer/src/cdc_consumer/consume/loop.py")
    repository.git("switch", "--quiet", "feature")
    assert repository.affected("main") == {"generator", "tests-e2e"}


def test_files_that_are_not_committed_count(repository: Repository) -> None:
    repository.write("services/generator/src/generator/new.py", "")
    assert repository.affected("HEAD") == {"generator", "tests-e2e"}


@pytest.mark.parametrize("base", ["", "0" * 40, "no-such-branch"])
def test_an_unknown_base_marks_everything(repository: Repository, base: str) -> None:
    repository.change("services/generator/src/generator/model/bank.py")
    assert repository.affected(base) == EVERYTHING


def test_no_change_marks_nothing(repository: Repository) -> None:
    assert affected.plan(repository.folder, "HEAD") == affected.Affected(python=(), images=(), dbt=False, e2e=False)


def test_images_are_those_of_affected_projects(repository: Repository) -> None:
    repository.write("services/generator/Dockerfile", "")
    repository.write("orchestration/airflow/Dockerfile", "")
    base = repository.commit()
    repository.write("analytics/banking_dbt/models/marts/fct_transactions.sql", "")
    # dbt runs inside Airflow's image.
    assert affected.plan(repository.folder, base).images == (affected.Image("airflow", "orchestration/airflow"),)


def test_a_project_may_have_several_images(repository: Repository) -> None:
    for name in ("bank", "provisioner"):
        repository.write(f"infra/bankctl/images/{name}/Dockerfile", "")
    base = repository.commit()
    repository.write("infra/bankctl/src/bankctl/rooms.py", "")
    assert affected.plan(repository.folder, base).images == (
        affected.Image("bank", "infra/bankctl/images/bank"),
        affected.Image("provisioner", "infra/bankctl/images/provisioner"),
    )


def test_the_command_prints_json_and_writes_the_step_outputs(repository: Repository) -> None:
    repository.write("services/generator/tests/contract/test_x.py", "")
    outputs = repository.folder.parent / f"{repository.folder.name}.outputs"
    done = subprocess.run(
        [sys.executable, str(ROOT / ".github/scripts/affected.py"), "--root", str(repository.folder), "--base", "HEAD"],
        env=os.environ | {"GITHUB_OUTPUT": str(outputs)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["python"] == [
        {"name": "generator", "folder": "services/generator", "contract": True},
        {"name": "tests-e2e", "folder": "tests-e2e", "contract": False},
    ]
    written = dict(line.split("=", 1) for line in outputs.read_text(encoding="utf-8").splitlines())
    assert {name: json.loads(value) for name, value in written.items()} == json.loads(done.stdout)


def test_a_repository_without_a_lock_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shutil.which("git"), "git is needed"
    uv_projects.git(tmp_path, "init", "--quiet")
    assert affected.main(["--root", str(tmp_path)]) == 2
    assert "make lock" in capsys.readouterr().err


def test_reading_what_is_not_there_is_refused(repository: Repository) -> None:
    shutil.rmtree(repository.folder / "infra" / "warehouse")
    with pytest.raises(ProjectsError, match=r"infra/warehouse.*tool\.affected\.reads"):
        uv_projects.load(repository.folder)


def test_every_project_of_this_repository_is_known() -> None:
    projects = uv_projects.load(ROOT)
    manifests = uv_projects.git(ROOT, "ls-files", "--", "*/pyproject.toml").split()
    assert {project.folder for project in projects.values()} == {str(Path(path).parent) for path in manifests}
    assert set(projects) == EVERYTHING


def test_dependencies_and_dependants_are_transitive_and_end_on_a_circle() -> None:
    def project(name: str, *needs: str) -> Project:
        return Project(name, name, frozenset(needs), ())

    chain = {link.name: link for link in (project("a", "b"), project("b", "c"), project("c", "b"), project("d"))}
    assert uv_projects.dependencies(chain, "a") == {"b", "c"}
    assert uv_projects.dependants(chain, {"c"}) == {"a", "b", "c"}
    assert uv_projects.dependants(chain, {"d"}) == {"d"}
