"""`bank logs`."""

import time
from typing import Annotated

import typer

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components.native import COMPONENTS
from bankctl.stack.logs import log_tail
from bankctl.stack.stack import Stack

_POLL_SECONDS = 0.3


def logs(
    name: Annotated[str, typer.Argument(help="The component.")],
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is written from now on.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, help="How many lines from the end.")] = 200,
) -> None:
    """Show the end of a component's log.

    Example: bank logs -f cdc-consumer
    """
    if name not in COMPONENTS:
        raise PipelineError(f"There is no component {name!r}.", advice=f"Components: {', '.join(COMPONENTS)}.")
    stack = Stack.from_environment()
    stack.require_supervised()
    file = stack.log_file(name)
    if not file.exists():
        raise PipelineError(f"{name} has no log yet.", advice=f"Start it: `bank up --only {name}`.")
    typer.echo(log_tail(file, lines))
    if follow:
        with file.open(encoding="utf-8", errors="replace") as stream:
            stream.seek(0, 2)
            while True:
                text = stream.read()
                if text:
                    typer.echo(text, nl=False)
                else:
                    time.sleep(_POLL_SECONDS)
