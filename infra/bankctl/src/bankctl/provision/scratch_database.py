"""The scratch database: a temporary database, with the migrations applied, independent of the bank's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bankctl.provision import migrations


@contextmanager
def scratch_database(dsn: str) -> Iterator[str]:
    """The DSN of a new, empty database on the server of `dsn`; it is dropped at the end."""
    name = f"scratch_{os.getpid()}_{os.urandom(4).hex()}"
    with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def migrated_database(dsn: str, folder: Path) -> Iterator[str]:
    """A scratch database with every migration of `folder` applied."""
    with scratch_database(dsn) as scratch:
        migrations.migrate(scratch, folder)
        yield scratch
