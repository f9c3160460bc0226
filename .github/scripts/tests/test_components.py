"""Released components: each version is the same everywhere, and bank_common's dependants are named."""

import json
import shutil
from pathlib import Path

import pytest

import components
import uv_projects
from components import Component, ReleaseError

ROOT = Path(__file__).parents[3]
COMPONENTS = components.load(ROOT)
PROJECTS = uv_projects.load(ROOT)
CONFIG = json.loads((ROOT / components.CONFIG).read_text(encoding="utf-8"))
LIBRARIES = [component for component in COMPONENTS.values() if component.is_library]


def project_of(component: Component) -> str:
    (name,) = (project.name for project in PROJECTS.values() if project.folder == component.folder)
    return name


def test_each_service_library_and_airflow_is_a_component() -> None:
    folders = {component.folder for component in COMPONENTS.values()}
    members = {
        str(path.parent.relative_to(ROOT))
        for top in ("libs", "services")
        for path in (ROOT / top).glob("*/pyproject.toml")
    }
    assert folders == members | {"orchestration/airflow"}


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=lambda component: component.name)
def test_version_changelog_and_manifest_agree(component: Component) -> None:
    assert components.inconsistencies(ROOT, component) == []


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=lambda component: component.name)
def test_a_release_changes_the_version_in_every_lock_that_has_it(component: Component) -> None:
    name = project_of(component)
    told = {
        lock
        for lock in uv_projects.git(ROOT, "ls-files", "--", "uv.lock", "*/uv.lock").split()
        if f'name = "{name}"\nversion' in (ROOT / lock).read_text(encoding="utf-8")
    }
    extra = CONFIG["packages"][component.folder]["extra-files"]
    selects = f"$.package[?(@.name.value=='{name}')].version"
    assert {file["path"].removeprefix("/") for file in extra if file.get("jsonpath") == selects} == told


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda component: component.name)
def test_a_release_of_a_library_raises_the_bound_of_exactly_its_released_dependants(library: Component) -> None:
    needing = {PROJECTS[name].folder for name in uv_projects.dependants(PROJECTS, {project_of(library)})}
    dependants = {component.folder for component in COMPONENTS.values()} & needing - {library.folder}
    package = CONFIG["packages"][library.folder]
    raised = {file["path"] for file in package["extra-files"] if file["type"] == "generic"}
    assert raised == {f"/{folder}/pyproject.toml" for folder in dependants}
    # `deps` is what release-please takes for a change of the dependants, whose files that commit touches.
    assert package["pull-request-title-pattern"].startswith("deps: ")
    for folder in dependants:
        text = (ROOT / folder / "pyproject.toml").read_text(encoding="utf-8")
        marked = [line for line in text.splitlines() if "x-release-please-version" in line]
        assert len(marked) == 1, folder
        assert f'>={library.version}"' in marked[0], folder


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("pyproject.toml", 'version = "{version}"', 'version = "99.0.0"', "pyproject.toml says 99.0.0"),
        ("CHANGELOG.md", "## {version}", "## 98.0.0", "CHANGELOG.md begins with '## 98.0.0"),
    ],
)
def test_a_version_that_is_told_differently_is_found(tmp_path: Path, path: str, old: str, new: str, said: str) -> None:
    component = COMPONENTS["generator"]
    shutil.copytree(ROOT / component.folder, tmp_path / component.folder)
    uv_projects.git(tmp_path, "init", "--quiet")
    file = tmp_path / component.folder / path
    text = file.read_text(encoding="utf-8")
    old = old.format(version=component.version)
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    (inconsistency,) = components.inconsistencies(tmp_path, component)
    assert said in inconsistency


def test_config_and_manifest_must_name_the_same_folders(tmp_path: Path) -> None:
    (tmp_path / components.CONFIG).write_text('{"packages": {"services/generator": {"component": "generator"}}}')
    (tmp_path / components.MANIFEST).write_text("{}")
    with pytest.raises(ReleaseError, match="services/generator"):
        components.load(tmp_path)
