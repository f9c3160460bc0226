"""Applies `infra/postgres/migrations/*.sql` to one database: forward only, each file once, in the order of its number.

Every applied file is recorded with its SHA-256 in `bankctl.migrations`. Runs on the same database wait for each
other (advisory lock), and a file and its record commit together. Why no library: infra/postgres/adr/0001.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from bank_common.runtime.errors import PipelineError

_FILE: Final = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+\.sql")
_LOCK: Final = 0x62616E6B_6D696772  # "bankmigr": one lock for every run on a database
_LEDGER: Final = """
CREATE SCHEMA IF NOT EXISTS bankctl;
CREATE TABLE IF NOT EXISTS bankctl.migrations (
   number INT PRIMARY KEY,
   file TEXT NOT NULL,
   sha256 TEXT NOT NULL,
   applied_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp()
);
"""


class MigrationError(PipelineError):
    """The files and what the database has seen of them do not fit together."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered migration file."""

    number: int
    file: str
    text: str

    @property
    def sha256(self) -> str:
        """The hash that is compared with the record of the applied file."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read(folder: Path) -> tuple[Migration, ...]:
    """The migrations of a folder, by number.

    Raises:
        MigrationError: a file is not named `NNNN_words.sql`, or the numbers do not run 1, 2, 3, … without a hole.
    """
    migrations: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise MigrationError(
                f"{path.name} is not named like a migration.",
                advice="Name it NNNN_what_it_does.sql, e.g. 0004_branches.sql.",
            )
        migrations.append(Migration(int(match["number"]), path.name, path.read_text(encoding="utf-8")))
    numbers = [migration.number for migration in migrations]
    if not migrations or numbers != list(range(1, len(migrations) + 1)):
        raise MigrationError(
            f"The numbers of the migrations in {folder} are {numbers}.",
            advice="Number them 0001, 0002, … without a hole and without a repeat.",
        )
    return tuple(migrations)


def pending(migrations: Sequence[Migration], applied: Mapping[int, tuple[str, str]]) -> tuple[Migration, ...]:
    """The migrations that are still to be applied. `applied` is number -> (file, SHA-256).

    Raises:
        MigrationError: an applied file changed, was renamed or is gone; the message names it.
    """
    files = {migration.number: migration for migration in migrations}
    for number, (file, sha256) in sorted(applied.items()):
        migration = files.get(number)
        if migration is None:
            raise MigrationError(
                f"{file} was applied to this database, and there is no such file now.",
                advice="Use a checkout that has it: this database is ahead of these files.",
            )
        if (migration.file, migration.sha256) != (file, sha256):
            raise MigrationError(
                f"{migration.file} is not what was applied to this database as {file}.",
                advice="Restore the file and put the change into a new migration; applied files never change.",
            )
    return tuple(migration for migration in migrations if migration.number not in applied)


def migrate(dsn: str, folder: Path, *, check: Callable[[psycopg.Connection], None] | None = None) -> tuple[str, ...]:
    """Apply what is pending and return the names of the files that this call applied.

    `check` looks at what a file made of the database, before the file counts as applied; what it raises takes the file
    back.

    Raises:
        MigrationError: see `read` and `pending`; or a file's SQL failed (it left no trace, later files were not run).
    """
    migrations = read(folder)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.execute(_LEDGER)
        rows = connection.execute("SELECT number, file, sha256 FROM bankctl.migrations").fetchall()
        todo = pending(migrations, {number: (file, sha256) for number, file, sha256 in rows})
        for migration in todo:
            _apply(connection, migration, check)
        return tuple(migration.file for migration in todo)


def _apply(
    connection: psycopg.Connection, migration: Migration, check: Callable[[psycopg.Connection], None] | None
) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.text.encode())
            if check is not None:
                check(connection)
            connection.execute(
                "INSERT INTO bankctl.migrations (number, file, sha256) VALUES (%s, %s, %s)",
                (migration.number, migration.file, migration.sha256),
            )
    except psycopg.Error as error:
        raise MigrationError(
            f"{migration.file} failed and was rolled back: {str(error).strip().splitlines()[0]}.",
            advice="Correct the file; those before it are applied and stay.",
        ) from error


def set_passwords(dsn: str, passwords: Iterable[tuple[str, str]]) -> None:
    """Give each (role, password) its password. The server's log never shows the text: it is a SCRAM verifier."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for role, password in passwords:
            verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier.decode()))
            )
