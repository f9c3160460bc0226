"""`bank secrets`."""

from pathlib import Path
from typing import Annotated

import typer

from bankctl.stack import container_secrets
from bankctl.stack.stack import Stack


def secrets(
    target: Annotated[Path, typer.Argument(help="A folder with, or for, one folder for each container.")],
) -> None:
    """Make this installation's secrets where they are missing, and hand each container a folder with its own.

    May be run again: secrets that are there stay as they are.
    """
    written = container_secrets.write(Stack.from_environment(), target)
    typer.echo(f"secrets of {', '.join(written)} are in {target}")
