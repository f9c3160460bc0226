"""Checks whether a tag may be released: release.yml asks before it builds anything.

    python .github/scripts/release_check.py generator-v0.2.0
    python .github/scripts/release_check.py --pending

The tag must name its component's present version; pyproject.toml, locks and changelog must say the same; and the
libraries that go into the image must be as they were released, or the image would hold code that no version names.
Prints what is released, as `name=value`, also into the step's outputs of GitHub Actions.

`--pending` asks the same of libraries before there is a tag: of each component whose version this commit has raised. So
a release pull request that must wait for a library's is red until then.
"""

import argparse
import os
import sys
from collections.abc import Container, Sequence
from pathlib import Path

import components
import uv_projects
from affected import is_document
from components import Component, ReleaseError
from uv_projects import ProjectsError


def unreleased_libraries(root: Path, component: Component, tags: Container[str] | None = None) -> list[str]:
    """The released libraries that a component needs and whose code differs from their present tag. With `tags`, only
    libraries that have one of them.

    Raises:
        ProjectsError: a library's tag is not in this clone.
    """
    projects = uv_projects.load(root)
    (name,) = (project.name for project in projects.values() if project.folder == component.folder)
    needed = {projects[need].folder for need in uv_projects.dependencies(projects, name)}
    return [
        library.name
        for library in components.load(root).values()
        if library.is_library
        and library.folder in needed
        and (tags is None or library.tag in tags)
        and _code_differs(root, library)
    ]


def check(root: Path, tag: str) -> Component:
    """The component that a tag releases.

    Raises:
        ReleaseError: it must not be released.
        ProjectsError: git or uv's metadata can't be read.
    """
    component = components.of_tag(components.load(root), tag)
    if inconsistencies := components.inconsistencies(root, component):
        raise ReleaseError(f"{tag}: {' '.join(inconsistencies)} Let release-please write versions, and nobody else.")
    if libraries := unreleased_libraries(root, component):
        raise ReleaseError(
            f"{tag} would hold unreleased changes of {', '.join(libraries)}. "
            "Merge the library's release PR, then a new one of this component."
        )
    return component


def check_pending(root: Path) -> list[Component]:
    """The components whose present version has no tag yet, after their libraries were compared.

    Raises:
        ReleaseError: one of them must wait for a library's release.
        ProjectsError: git or uv's metadata can't be read.
    """
    tags = set(uv_projects.git(root, "tag").split())
    loaded = components.load(root)
    pending = [component for component in loaded.values() if component.tag not in tags]
    for component in pending:
        # Without its tag a library is released by this commit as well, as all are by the first one.
        if waiting := unreleased_libraries(root, component, tags):
            raise ReleaseError(f"{component.tag} has to wait: merge the release PR of {', '.join(waiting)} first.")
    return pending


def _code_differs(root: Path, library: Component) -> bool:
    paths = uv_projects.git(root, "diff", "--name-only", "-z", library.tag, "HEAD", "--", library.folder).split("\0")
    tests = f"{library.folder}/tests"
    return any(path and not is_document(path) and not uv_projects.lies_in(path, tests) for path in paths)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is released; 0, or 2 when it must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("tag", nargs="?", help="a component's tag, as generator-v0.2.0")
    what.add_argument("--pending", action="store_true", help="check the versions that have no tag yet")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="the repository")
    options = parser.parse_args(arguments)
    try:
        if options.pending:
            print(*(component.tag for component in check_pending(options.root)), sep="\n")
            return 0
        component = check(options.root, options.tag)
    except (ProjectsError, ReleaseError) as error:
        print(error, file=sys.stderr)
        return 2
    lines = [f"component={component.name}", f"folder={component.folder}", f"version={component.version}"]
    print(*lines, sep="\n")
    if outputs := os.environ.get("GITHUB_OUTPUT"):
        with Path(outputs).open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
