"""Finds what a change must be tested with: the projects that it touches and all that depend on them, as JSON.

    python .github/scripts/affected.py --base origin/main

A changed file marks the project that owns it and those that read it, and with them everything that needs one of them.
A document marks nothing, and neither does a benchmark: what checks those runs always. A file that no project owns or
reads (platform.toml, the root's pyproject.toml and lock, the Makefile, workflows, …) marks everything. The end-to-end
suite is affected by whatever is.

With no base, or one that this clone does not have, everything is affected: a wrong answer must cost time, not a bug. In
GitHub Actions the same answer is written to the step's outputs.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import uv_projects
from uv_projects import Projects, ProjectsError, git

END_TO_END = "tests-e2e"
DBT_PROJECT = "dbt_project.yml"
DOCUMENTS = (".md",)
DOCUMENT_NAMES = ("LICENSE",)
DOCUMENT_FOLDERS = ("adr",)
BENCHMARKS = "benchmarks"
"""No project needs them; CI's job "what no project owns" has them in `make lint types unit-repository`, always."""


@dataclass(frozen=True, slots=True)
class Member:
    """A row of the matrix: the project's folder, and whether it has contract tests."""

    name: str
    folder: str
    contract: bool


@dataclass(frozen=True, slots=True)
class Image:
    """An image to build: named after the folder that has its Dockerfile."""

    name: str
    folder: str


@dataclass(frozen=True, slots=True)
class Affected:
    """The jobs that have to run."""

    python: tuple[Member, ...]
    images: tuple[Image, ...]
    dbt: bool
    e2e: bool


def is_document(path: str) -> bool:
    """Tell whether a path is read by people alone."""
    file = PurePosixPath(path)
    in_documents = any(part in DOCUMENT_FOLDERS for part in file.parts[:-1])
    return file.suffix in DOCUMENTS or file.name in DOCUMENT_NAMES or in_documents


def affected_projects(projects: Projects, paths: Iterable[str]) -> set[str]:
    """The names of the projects that a change of these paths touches."""
    changed: set[str] = set()
    for path in paths:
        if is_document(path) or uv_projects.lies_in(path, BENCHMARKS):
            continue
        touched = {name for name, project in projects.items() if project.depends_on(path)}
        if not touched:
            return set(projects)
        changed |= touched
    dependants = uv_projects.dependants(projects, changed)
    return dependants | {END_TO_END} if dependants else dependants


def changed_paths(root: Path, base: str) -> list[str] | None:
    """Paths that differ from the point where this work tree left `base`, with both names of a renamed file and with
    files not yet under version control; None when that point is not known."""
    try:
        fork = git(root, "merge-base", base, "HEAD").strip()
    except ProjectsError:
        return None
    differ = git(root, "diff", "--name-only", "--no-renames", "-z", fork)
    new = git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return [path for path in (differ + new).split("\0") if path]


def image_folders(root: Path, folders: Iterable[str]) -> list[str]:
    """The folders with a Dockerfile among these projects' own: a project may have several images."""
    known = git(root, "ls-files", "-z", "--", "*/Dockerfile").split("\0")
    holding = sorted(str(PurePosixPath(path).parent) for path in known if path)
    return [image for folder in folders for image in holding if uv_projects.lies_in(image, folder)]


def plan(root: Path, base: str) -> Affected:
    """Decide what has to run for the changes since `base`.

    Raises:
        ProjectsError: the projects can't be read.
    """
    projects = uv_projects.load(root)
    paths = changed_paths(root, base) if base else None
    names = sorted(projects if paths is None else affected_projects(projects, paths))
    folders = {name: projects[name].folder for name in names}
    dbt = {name for name, folder in folders.items() if (root / folder / DBT_PROJECT).exists()}
    return Affected(
        python=tuple(
            Member(name, folder, contract=(root / folder / "tests" / "contract").is_dir())
            for name, folder in folders.items()
            if name not in dbt
        ),
        images=tuple(Image(PurePosixPath(folder).name, folder) for folder in image_folders(root, folders.values())),
        dbt=bool(dbt),
        e2e=END_TO_END in names,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the plan; 0, or 2 when there is none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="", help="the commit to compare with; without it everything is affected")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="the repository")
    options = parser.parse_args(arguments)
    try:
        outputs = asdict(plan(options.root, options.base))
    except ProjectsError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(outputs, indent=2))
    if step_outputs := os.environ.get("GITHUB_OUTPUT"):
        with Path(step_outputs).open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={json.dumps(value)}\n" for name, value in outputs.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
