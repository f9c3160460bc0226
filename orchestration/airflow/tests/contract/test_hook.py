"""Airflow's own SnowflakeHook reaches the warehouse: over TLS, with a key pair, from nothing but a connection."""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from airflow.providers.snowflake.hooks.snowflake import SnowflakeHook
from loading_testing.stack import Stack
from snowflake.connector.errors import ProgrammingError

from bank_dags.settings import snowflake_settings

CONNECTION = "bank_snowflake"
OPENED = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def hook(running: Stack, monkeypatch: pytest.MonkeyPatch) -> SnowflakeHook:
    """The hook of the loader's connection. It passes on no `protocol`, so it speaks TLS and must know the authority."""
    loader = snowflake_settings(running.environment)
    # Without session_parameters: the connector writes AUTOCOMMIT into that dictionary when it logs in, and the hook
    # takes it for a wish and never turns autocommit off (snowflakedb/snowflake-connector-python#2716).
    connection = {
        "conn_type": "snowflake",
        "login": loader.user,
        "schema": "RAW",
        "extra": {
            "account": loader.account,
            "authenticator": "SNOWFLAKE_JWT",
            "private_key_file": str(loader.private_key_file),
            "role": loader.role,
            "warehouse": loader.warehouse,
            "database": loader.database,
            "host": loader.host,
            "port": running.tls_port,
        },
    }
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", json.dumps(connection))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.authorities))
    # Otherwise each login asks the metadata services of three clouds where it runs.
    monkeypatch.setenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
    return SnowflakeHook(CONNECTION)


@pytest.fixture
def table(running: Stack, hook: SnowflakeHook) -> Iterator[str]:
    """An empty table of this test's own, made and dropped through the hook."""
    name = f"HOOK_{uuid.uuid4().hex[:12].upper()}"
    hook.run(f"CREATE TABLE {name} (ID INTEGER, NAME TEXT, BALANCE NUMBER(18, 2), OPENED_AT TIMESTAMP_TZ)")
    yield name
    hook.run(f"DROP TABLE {name}")
    with pytest.raises(ProgrammingError, match="does not exist"):
        committed(running, name)


def committed(running: Stack, table: str) -> list[int]:
    """IDs in the table as a session that is not the hook's sees them."""
    with running.session.cursor() as cursor:
        cursor.execute(f"SELECT ID FROM RAW.{table} ORDER BY ID")
        return [row[0] for row in cursor.fetchall()]


def test_the_connection_s_login_reaches_its_database_over_tls(running: Stack, hook: SnowflakeHook) -> None:
    loader = snowflake_settings(running.environment)
    assert hook.test_connection() == (True, "Connection successfully tested")
    with closing(hook.get_conn()) as connection:
        assert (connection.host, connection.port) == (loader.host, running.tls_port)
    where = hook.get_first(
        "SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_WAREHOUSE(), CURRENT_DATABASE(), CURRENT_SCHEMA()"
    )
    assert where == (loader.user, loader.role, loader.warehouse, loader.database, "RAW")


def test_records_and_binds(hook: SnowflakeHook) -> None:
    rows = hook.get_records("SELECT COLUMN1, COLUMN2 FROM VALUES (2, 'b'), (1, 'a'), (3, NULL) ORDER BY 1")
    assert rows == [(1, "a"), (2, "b"), (3, None)]
    by_position = (7, "it's; %s", None, True)
    assert hook.get_first("SELECT %s, %s, %s, %s", parameters=by_position) == by_position
    exact = hook.get_first("SELECT %(balance)s::NUMBER(18, 2), %(name)s", {"balance": Decimal("0.10"), "name": "Ada"})
    assert exact == (Decimal("0.10"), "Ada")
    assert isinstance(exact[0], Decimal)


def test_rows_are_inserted_counted_and_deleted(running: Stack, hook: SnowflakeHook, table: str) -> None:
    rows = [(1, "Ada", Decimal("720889.64"), OPENED), (2, None, None, None)]
    columns = ["ID", "NAME", "BALANCE", "OPENED_AT"]
    hook.insert_rows(table, rows[:1], columns)
    hook.insert_rows(table, rows[1:], columns, executemany=True)
    assert committed(running, table) == [1, 2]
    assert hook.get_records(f"SELECT * FROM {table} ORDER BY ID") == rows
    row = hook.run(f"SELECT ID, NAME FROM {table} WHERE ID = 1", handler=fetch, return_dictionaries=True)
    assert row == [{"ID": 1, "NAME": "Ada"}]
    hook.run(f"DELETE FROM {table}")
    assert hook.get_first(f"SELECT COUNT(*) FROM {table}") == (0,)


def fetch(cursor: Any) -> list[Any]:
    return cursor.fetchall()


@pytest.mark.parametrize(("autocommit", "seen_meanwhile"), [(True, [[1], [1, 2]]), (False, [[], []])])
def test_several_statements_become_visible(
    running: Stack, hook: SnowflakeHook, table: str, autocommit: bool, seen_meanwhile: list[list[int]]
) -> None:
    """… one by one with autocommit, all at the end without it."""
    seen: list[list[int]] = []

    def look(_cursor: Any) -> list[Any]:
        seen.append(committed(running, table))
        return []

    both = f"INSERT INTO {table} (ID) VALUES (1); INSERT INTO {table} (ID, NAME) VALUES (2, 'a;b');"
    hook.run(both, autocommit=autocommit, handler=look)
    assert seen == seen_meanwhile
    assert len(hook.query_ids) == 2
    assert committed(running, table) == [1, 2]


@pytest.mark.parametrize(("autocommit", "left"), [(True, [1]), (False, [])])
def test_a_failing_statement_undoes_what_was_not_committed(
    running: Stack, hook: SnowflakeHook, table: str, autocommit: bool, left: list[int]
) -> None:
    with pytest.raises(ProgrammingError):
        hook.run([f"INSERT INTO {table} (ID) VALUES (1)", "SELECT * FROM NOT_THERE"], autocommit=autocommit)
    assert committed(running, table) == left


def test_a_rollback_undoes_its_transaction_only(running: Stack, hook: SnowflakeHook, table: str) -> None:
    insert = f"INSERT INTO {table} (ID) VALUES"
    hook.run([f"{insert} (1)", "BEGIN", f"{insert} (2)", "ROLLBACK", f"{insert} (3)"], autocommit=True)
    assert committed(running, table) == [1, 3]


@pytest.mark.parametrize(
    ("statement", "errno", "sqlstate"),
    [
        ("SELECT * FROM NOT_THERE", 2003, "42S02"),
        ("SELEC 1", 1003, "42000"),
        ("SELECT 'abc'::NUMBER(10, 0)", 100038, "22018"),
    ],
)
def test_an_error_has_snowflakes_number(hook: SnowflakeHook, statement: str, errno: int, sqlstate: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        hook.run(statement)
    assert (caught.value.errno, caught.value.sqlstate) == (errno, sqlstate)


def test_several_statements_in_one_request_are_refused(running: Stack, hook: SnowflakeHook, table: str) -> None:
    """The stand-in's limit: none of them is run."""
    both = f"INSERT INTO {table} (ID) VALUES (1); INSERT INTO {table} (ID) VALUES (2)"
    with pytest.raises(ProgrammingError) as caught:
        hook.run(both, split_statements=False)
    assert caught.value.errno == 2
    assert committed(running, table) == []
