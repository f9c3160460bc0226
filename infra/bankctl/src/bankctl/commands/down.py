"""`bank down`."""

from typing import Annotated

import typer
from rich.console import Console

from bankctl.devstack.supervision.down import down as stop
from bankctl.devstack.supervision.report import Reporter
from bankctl.stack.stack import Stack


def down(
    wipe: Annotated[
        bool, typer.Option("--wipe", help="Remove all state: data, logs, secrets. There is no way back.")
    ] = False,
) -> None:
    """Stop every component of this checkout, and what a crash left behind.

    Example: bank down --wipe
    """
    stack = Stack.from_environment()
    stack.require_supervised()
    stop(stack, Reporter(Console()), wipe=wipe)
