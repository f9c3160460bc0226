"""`bank catalogue …`: the captured tables as a file, from the source's migrated database."""

from typing import Annotated

import typer

from bankctl.commands.render import finish
from bankctl.commands.render import render as render_all
from bankctl.provision.rendering import catalogue_file
from bankctl.stack.stack import Stack

app = typer.Typer(
    no_args_is_help=True, help="The captured tables' columns and keys, read from the source's migrations."
)


@app.callback()
def _group() -> None:
    """Keeps `render` a subcommand."""


@app.command()
def render(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 when a file differs.")] = False,
) -> None:
    """Apply the migrations to a scratch database of the bank's Postgres, and write infra/warehouse/tables.json from it.

    What `bank render` makes of it (RAW tables, dbt sources and models) is rendered as well.

    Needs the bank's Postgres: bank up --only bank-postgres

    Exits with 1 when --check finds a difference, or a column's type has no exact place in RAW.
    """
    stack = Stack.from_environment()
    finish(stack.root, catalogue_file(stack.root, stack.dsn("bank")), check=check, command="bank catalogue render")
    render_all(check=check)
