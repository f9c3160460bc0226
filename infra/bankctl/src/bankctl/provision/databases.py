"""The databases and their owners, on both Postgres servers."""

import psycopg
from psycopg import sql

from bank_common import names
from bank_common.runtime.errors import PipelineError
from bankctl.stack.stack import Stack


class NoConnectionError(PipelineError):
    """A Postgres server takes no connection."""


def create_database(stack: Stack, instance: str, database: str, owner: str | None = None) -> None:
    """Create a database, and its owner's role with the secret `<owner>_password`, unless they are there.

    Raises:
        NoConnectionError: the server is away.
    """
    with _connect(stack, instance) as connection:
        if owner is not None:
            known = connection.execute("select 1 from pg_roles where rolname = %s", (owner,)).fetchone()
            verb = sql.SQL("ALTER ROLE" if known else "CREATE ROLE")
            secret = sql.Literal(stack.secret(f"{owner}_password"))
            connection.execute(sql.SQL("{} {} LOGIN PASSWORD {}").format(verb, sql.Identifier(owner), secret))
        if connection.execute("select 1 from pg_database where datname = %s", (database,)).fetchone() is None:
            owned = sql.SQL(" OWNER {}").format(sql.Identifier(owner)) if owner else sql.SQL("")
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)) + owned)


def create_bank_database(stack: Stack) -> None:
    """The bank's database; its tables come with the migrations."""
    create_database(stack, "bank_postgres", names.DATABASE)


def create_platform_databases(stack: Stack) -> None:
    """Airflow's and the registry's databases, each with an owner of its own."""
    create_database(stack, "platform_postgres", "airflow", "airflow")
    create_database(stack, "platform_postgres", "registry", "registry")


def _connect(stack: Stack, instance: str) -> psycopg.Connection:
    host, port = stack.host(instance), stack.port(instance)
    try:
        return psycopg.connect(
            host=host,
            port=port,
            user="postgres",
            password=stack.secret(f"{instance}_superuser_password"),
            dbname="postgres",
            autocommit=True,
        )
    except psycopg.OperationalError as error:
        raise NoConnectionError(
            f"{instance.replace('_', '-')} at {host}:{port} takes no connection: {str(error).strip().splitlines()[-1]}",
            advice="Start it, or see in its log why it does not answer; then run this again.",
        ) from error
