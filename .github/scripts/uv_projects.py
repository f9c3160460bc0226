"""The repository's own Python projects and what each needs of the others, as uv has it.

Read from every `uv.lock`: a locked package with a local source is a project of ours, and its locked dependencies, those
of its extras and those of its groups are the arrows. What a project reads beside them (SQL, rendered files) it says
itself, in its pyproject.toml: `[tool.affected] reads = ["infra/warehouse"]`.

Standard library only: CI runs it before any environment exists.
"""

import posixpath
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Projects = Mapping[str, "Project"]

_LOCAL_SOURCES = ("editable", "virtual", "directory")


class ProjectsError(Exception):
    """The projects can't be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Project:
    """A uv project. Folders are relative to the repository, with forward slashes."""

    name: str
    folder: str
    needs: frozenset[str]
    reads: tuple[str, ...]

    def owns(self, path: str) -> bool:
        """Tell whether the path lies in the project's folder."""
        return lies_in(path, self.folder)

    def depends_on(self, path: str) -> bool:
        """Tell whether the path is the project's own or one that it reads."""
        return self.owns(path) or any(lies_in(path, read) for read in self.reads)


def lies_in(path: str, folder: str) -> bool:
    """Tell whether a path is the folder (or file) itself or below it."""
    return path == folder or path.startswith(folder + "/")


def load(root: Path) -> dict[str, Project]:
    """Every project of the repository by name, without the root itself, which only holds the workspace together.

    Raises:
        ProjectsError: there is no lock, or a project reads something that is not there.
    """
    locks = git(root, "ls-files", "-z", "--", "uv.lock", "*/uv.lock").split("\0")
    packages: dict[str, tuple[str, set[str]]] = {}
    for lock in filter(None, locks):
        for name, folder, needs in _local_packages(root / lock, posixpath.dirname(lock)):
            packages.setdefault(name, (folder, set()))[1].update(needs)
    if not packages:
        raise ProjectsError(f"{root} has no uv.lock under version control. Run `make lock` and commit it.")
    names = set(packages)
    return {
        name: Project(name, folder, frozenset(needs & names - {name}), _reads(root, folder))
        for name, (folder, needs) in sorted(packages.items())
        if folder != "."
    }


def dependants(projects: Projects, changed: Iterable[str]) -> set[str]:
    """The changed projects and all that need them, directly or through others."""
    affected = set(changed)
    while grown := {name for name, project in projects.items() if project.needs & affected} - affected:
        affected |= grown
    return affected


def dependencies(projects: Projects, name: str) -> set[str]:
    """All projects that one needs, directly or through others."""
    needed: set[str] = set()
    while grown := {need for needing in needed | {name} for need in projects[needing].needs} - needed:
        needed |= grown
    return needed


def git(root: Path, *arguments: str) -> str:
    """Run a git command and return its output.

    Raises:
        ProjectsError: git failed; the message has its own words.
    """
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProjectsError(f"`git {' '.join(arguments)}` failed in {root}: {done.stderr.strip()}")
    return done.stdout


def _local_packages(lock: Path, folder: str) -> Iterator[tuple[str, str, set[str]]]:
    for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]:
        source = next((package["source"][kind] for kind in _LOCAL_SOURCES if kind in package["source"]), None)
        if source is not None:
            yield package["name"], posixpath.normpath(posixpath.join(folder, source)), set(_needs(package))


def _needs(package: Mapping[str, Any]) -> Iterator[str]:
    lists = [package.get("dependencies", [])]
    lists += package.get("optional-dependencies", {}).values()
    lists += package.get("dev-dependencies", {}).values()
    return (dependency["name"] for dependencies in lists for dependency in dependencies)


def _reads(root: Path, folder: str) -> tuple[str, ...]:
    manifest = tomllib.loads((root / folder / "pyproject.toml").read_text(encoding="utf-8"))
    reads = tuple(manifest.get("tool", {}).get("affected", {}).get("reads", ()))
    if missing := [read for read in reads if not (root / read).exists()]:
        raise ProjectsError(
            f"{folder}/pyproject.toml reads {', '.join(missing)}, which is not there. Correct tool.affected.reads."
        )
    return reads
