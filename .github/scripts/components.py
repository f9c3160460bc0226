"""The components that are released, each with a version, a changelog and tags of its own.

`release-please-config.json` says which they are, `.release-please-manifest.json` which version each has. Standard
library only: the release workflow runs it before any environment exists.
"""

import json
import posixpath
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import uv_projects

CONFIG = "release-please-config.json"
MANIFEST = ".release-please-manifest.json"
LIBRARIES = "libs"


class ReleaseError(Exception):
    """A component can't be released; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Component:
    """A released component. `version` is the manifest's."""

    name: str
    folder: str
    version: str

    @property
    def tag(self) -> str:
        """The tag of its present version."""
        return f"{self.name}-v{self.version}"

    @property
    def is_library(self) -> bool:
        """True when other components depend on it; a library has no image."""
        return posixpath.dirname(self.folder) == LIBRARIES

    @property
    def changelog(self) -> str:
        """The path of its changelog, relative to the repository."""
        return f"{self.folder}/CHANGELOG.md"

    @property
    def dockerfile(self) -> str:
        """The path of its Dockerfile, relative to the repository."""
        return f"{self.folder}/Dockerfile"


def load(root: Path) -> dict[str, Component]:
    """Every released component by name."""
    packages = json.loads((root / CONFIG).read_text(encoding="utf-8"))["packages"]
    versions = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    if different := set(packages) ^ set(versions):
        raise ReleaseError(f"{CONFIG} and {MANIFEST} differ in {', '.join(sorted(different))}. List them in both.")
    return {
        package["component"]: Component(package["component"], folder, versions[folder])
        for folder, package in packages.items()
    }


def of_tag(components: Mapping[str, Component], tag: str) -> Component:
    """The component whose present version a tag names.

    Raises:
        ReleaseError: there is none.
    """
    for component in components.values():
        if component.tag == tag:
            return component
    present = ", ".join(component.tag for component in components.values())
    raise ReleaseError(f"{tag} is no component's present version ({present}). Tags are made by merging a release PR.")


def inconsistencies(root: Path, component: Component) -> list[str]:
    """Find where a component's version differs or is missing: one sentence each."""
    problems: list[str] = []
    manifest = tomllib.loads((root / component.folder / "pyproject.toml").read_text(encoding="utf-8"))
    project = manifest["project"]["name"]
    told = {f"{component.folder}/pyproject.toml": manifest["project"]["version"]}
    for lock in uv_projects.git(root, "ls-files", "--", "uv.lock", "*/uv.lock").split():
        text = (root / lock).read_text(encoding="utf-8")
        if f'name = "{project}"\n' in text:  # parsing the others would take most of the time
            packages = tomllib.loads(text)["package"]
            told.update((lock, package["version"]) for package in packages if package["name"] == project)
    problems += [
        f"{where} says {version}, {MANIFEST} says {component.version}."
        for where, version in told.items()
        if version != component.version
    ]
    changelog = root / component.changelog
    lines = changelog.read_text(encoding="utf-8").splitlines() if changelog.exists() else []
    newest = next((line for line in lines if line.startswith("## ")), "")
    if not newest.removeprefix("## ").removeprefix("[").startswith((f"{component.version} ", f"{component.version}]")):
        problems.append(f"{component.changelog} begins with {newest or 'nothing'!r}, not with {component.version}.")
    if not component.is_library and not (root / component.dockerfile).exists():
        problems.append(f"{component.dockerfile} is not there.")
    return problems
