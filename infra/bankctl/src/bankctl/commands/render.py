"""`bank render`: writes what must be a file elsewhere from the one list of names."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from bankctl.provision.rendering import Files, from_owners, names_module_of, stale, write
from bankctl.stack.paths import repository_root


def render(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 when a file differs.")] = False,
) -> None:
    """Render names, connector, example settings, compose.yaml's order and environments from what decides each.

    Exits with 1 when --check finds a difference.
    """
    root = repository_root()
    if not check and write(names := names_module_of(root)):
        typer.echo(f"written: {next(iter(names)).relative_to(root)}")
        # The rest is rendered with the names as imported, and this process imported them before they changed.
        raise typer.Exit(subprocess.call([sys.executable, "-m", "bankctl", "render"]))
    finish(root, from_owners(root), check=check, command="bank render")


def finish(root: Path, files: Files, *, check: bool, command: str) -> None:
    """Write the files, or with `check` report those that differ and exit with 1."""
    changed = stale(files) if check else write(files)
    for path in changed:
        typer.echo(f"{'differs' if check else 'written'}: {path.relative_to(root)}")
    if check and changed:
        typer.echo(f"Run `{command}` and commit the result.", err=True)
        raise typer.Exit(1)
    if not changed:
        typer.echo(f"{len(files)} rendered files are up to date.")
