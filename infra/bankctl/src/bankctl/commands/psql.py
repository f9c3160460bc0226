"""`bank psql`: Postgres' own shell on the bank's database."""

import os
from enum import StrEnum
from typing import Annotated, Final

import typer

from bankctl.stack.postgres_programs import binaries
from bankctl.stack.stack import Stack


class BankRole(StrEnum):
    """The roles that work on the bank's database."""

    APP = "bank_app"
    READER = "bank_reader"
    ADMIN = "postgres"


COMMAND_SETTINGS: Final = {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}
"""Everything that is not an option of ours goes to psql."""


def psql(
    context: typer.Context,
    role: Annotated[BankRole, typer.Option(help="The role to log in as.")] = BankRole.APP,
) -> None:
    """Open psql on the bank's database, as the role that the bank's own programs use. Other arguments go to psql.

    Example: bank psql -c "update customers set email = 'ada@example.com' where id = 1"

    Exits as psql does: 1 for an error of its own, 2 for a lost connection, 3 for a failed script.
    """
    stack = Stack.from_environment()
    secret = "bank_postgres_superuser_password" if role is BankRole.ADMIN else f"{role}_password"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {
        "PGHOST": stack.host("bank_postgres"),
        "PGPORT": str(stack.port("bank_postgres")),
        "PGDATABASE": "bank",
        "PGUSER": role.value,
        "PGPASSWORD": stack.secret(secret),
    }
    program = str(binaries() / "psql")
    os.execve(program, [program, *context.args], environment)  # noqa: S606 - psql takes this process' place: its terminal, its signals, its exit code
