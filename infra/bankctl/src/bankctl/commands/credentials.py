"""`bank credentials`."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bankctl.stack.logins import logins
from bankctl.stack.stack import Stack


def credentials(as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Show addresses and logins. They belong to this installation alone and lie in its state directory."""
    all_logins = logins(Stack.from_environment())
    if as_json:
        typer.echo(json.dumps(all_logins))
        return
    table = Table("what", "address", "user", "password", box=None, pad_edge=False)
    for name, login in all_logins.items():
        table.add_row(name, login["address"], login["user"], login["password"])
    Console(soft_wrap=True).print(table)
