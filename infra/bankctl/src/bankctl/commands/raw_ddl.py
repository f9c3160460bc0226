"""`bank raw-ddl …`: the RAW tables as files, from the source's migrated catalogue."""

from typing import Annotated

import typer

from bankctl.commands.render import finish
from bankctl.provision.rendering import from_catalogue
from bankctl.stack.stack import Stack

app = typer.Typer(no_args_is_help=True, help="The RAW tables as SQL files, rendered from the source's migrations.")


@app.callback()
def _group() -> None:
    """Keeps `render` a subcommand."""


@app.command()
def render(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 when a file differs.")] = False,
) -> None:
    """Apply the migrations to a scratch database of the bank's Postgres, and render infra/warehouse/raw from it.

    Needs the bank's Postgres: bank up --only bank-postgres

    Exits with 1 when --check finds a difference, or a column's type has no exact place in RAW.
    """
    stack = Stack.from_environment()
    finish(stack.root, from_catalogue(stack.root, stack.dsn("bank")), check=check, command="bank raw-ddl render")
