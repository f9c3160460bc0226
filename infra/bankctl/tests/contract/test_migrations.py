"""Migrations on a real Postgres: once each, all or nothing, one run at a time; and who may do what afterwards."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from bankctl.model.raw_ddl import RawDdlError
from bankctl.provision import rendering
from bankctl.provision.catalogue import columns
from bankctl.provision.migrations import MigrationError, migrate
from bankctl.provision.steps import BANK_ROLES, refuse_what_has_no_place
from bankctl.provision.steps import migrate as migrate_the_bank
from bankctl.stack.stack import Stack

pytestmark = pytest.mark.contract


@pytest.fixture
def copied(migrations: Path, tmp_path: Path) -> Path:
    """The migrations in a folder that may be changed."""
    return Path(shutil.copytree(migrations, tmp_path / "migrations"))


def test_each_file_is_applied_once(empty_database: str, migrations: Path) -> None:
    assert migrate(empty_database, migrations) == tuple(sorted(path.name for path in migrations.glob("*.sql")))
    assert migrate(empty_database, migrations) == ()


def test_runs_at_the_same_time_apply_each_file_once(empty_database: str, migrations: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = [
            name for names in pool.map(lambda _: migrate(empty_database, migrations), range(4)) for name in names
        ]
    assert sorted(applied) == sorted(path.name for path in migrations.glob("*.sql"))


def test_an_applied_file_that_changed_is_refused_by_name(empty_database: str, copied: Path) -> None:
    migrate(empty_database, copied)
    changed = copied / "0001_bank_tables.sql"
    changed.write_text(changed.read_text() + "-- later\n")
    with pytest.raises(MigrationError, match=r"0001_bank_tables\.sql"):
        migrate(empty_database, copied)


def test_a_file_that_fails_leaves_no_trace(empty_database: str, copied: Path) -> None:
    number = len(list(copied.glob("*.sql"))) + 1
    broken = copied / f"{number:04}_broken.sql"
    broken.write_text("CREATE TABLE half_done (id int); SELECT 1 / 0;")
    with pytest.raises(MigrationError, match=r"broken\.sql failed and was rolled back: division by zero"):
        migrate(empty_database, copied)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT to_regclass('half_done')").fetchone() == (None,)
    broken.write_text("CREATE TABLE half_done (id int);")
    assert migrate(empty_database, copied) == (broken.name,)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ('ALTER TABLE customers ADD COLUMN "first-name" TEXT', "customers.first-name"),
        ("ALTER TABLE customers ADD COLUMN _cdc_op TEXT", "customers._cdc_op"),
        ('ALTER TABLE accounts ADD COLUMN selected BOOLEAN, ADD COLUMN "select" BOOLEAN', "accounts.select"),
        ("CREATE TYPE pair AS (a INT, b INT); ALTER TABLE accounts ADD COLUMN both_of pair", "accounts.both_of"),
    ],
)
def test_a_column_without_a_place_is_refused_before_the_bank_is_changed_and_may_stay_at_the_source(
    empty_database: str, copied: Path, statement: str, named: str
) -> None:
    migrate(empty_database, copied, check=refuse_what_has_no_place)
    number = len(list(copied.glob("*.sql"))) + 1
    (copied / f"{number:04}_odd.sql").write_text(f"{statement};")
    with pytest.raises(RawDdlError, match=named) as refused:
        migrate(empty_database, copied, check=refuse_what_has_no_place)
    assert "excluded" in (refused.value.advice or "")
    table, _, column = named.partition(".")
    with psycopg.connect(empty_database) as connection:
        assert column not in {found.name for found in columns(connection, "public", table)}
    check = partial(refuse_what_has_no_place, excluded={f"public.{named}"})
    assert migrate(empty_database, copied, check=check) == (f"{number:04}_odd.sql",)


def test_every_role_logs_in_with_its_generated_password_and_none_is_superuser(stack: Stack) -> None:
    migrate_the_bank(stack)
    for role in BANK_ROLES:
        with psycopg.connect(stack.dsn("bank", role)) as connection:
            row = connection.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
            assert row.fetchone() == (role, False)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(make_conninfo(stack.dsn("bank", "bank_app"), password="wrong"))


@pytest.mark.parametrize(
    ("role", "statement", "allowed"),
    [
        ("bank_replication", "UPDATE cdc_heartbeat SET beat_at = clock_timestamp() WHERE id = 1", True),
        ("bank_replication", "SELECT * FROM transactions", True),
        ("bank_replication", "DELETE FROM customers", False),
        ("bank_replication", "CREATE TABLE t (id int)", False),
        ("bank_app", "INSERT INTO customers (first_name, last_name, email) VALUES ('a', 'b', 'c')", True),
        ("bank_app", "SELECT pg_logical_emit_message(true, 'traceparent', 'x')", True),
        ("bank_app", "TRUNCATE customers CASCADE", False),
        ("bank_app", "UPDATE cdc_heartbeat SET beat_at = now()", False),
        ("bank_reader", "SELECT * FROM accounts", True),
        ("bank_reader", "INSERT INTO customers (first_name, last_name, email) VALUES ('a', 'b', 'c')", False),
    ],
)
def test_grants(bank: str, role: str, statement: str, allowed: bool) -> None:
    with psycopg.connect(bank) as connection:
        connection.execute(f"SET ROLE {role}".encode())
        if allowed:
            connection.execute(statement.encode())
        else:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_what_is_published(bank: str) -> None:
    with psycopg.connect(bank) as connection:
        tables = connection.execute("SELECT tablename FROM pg_publication_tables WHERE pubname = 'bank_cdc'").fetchall()
        operations = connection.execute(
            "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate"
            " FROM pg_publication WHERE pubname = 'bank_cdc'"
        ).fetchone()
    assert {name for (name,) in tables} == {"customers", "accounts", "transactions", "cdc_heartbeat"}
    assert operations == (True,)


def test_the_catalogue_is_the_migrated_databases(stack: Stack) -> None:
    assert rendering.stale(rendering.catalogue_file(stack.root, stack.dsn("bank"))) == ()
