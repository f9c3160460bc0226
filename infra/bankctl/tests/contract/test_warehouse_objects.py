"""The warehouse's SQL through the real connector, and the comparison of a real source with real mart tables."""

import dataclasses
import re
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from bankctl.provision import warehouse_objects
from bankctl.provision.steps import raw_tables, warehouse_folder
from bankctl.stack.stack import Stack
from bankctl.verify.both_sides import verify
from bankctl.verify.comparison import TABLES, ComparedTable

pytestmark = pytest.mark.contract

_COLUMNS = """
SELECT COLUMN_NAME FROM BANK.INFORMATION_SCHEMA.COLUMNS
 WHERE TABLE_SCHEMA = 'RAW' AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION
"""

_LATER = "UPDATE {} SET created_at = '2026-11-24 03:04:05.123457+00'::TIMESTAMP_TZ WHERE transaction_id = 1"


@pytest.fixture
def connection(stack: Stack) -> Iterator[Any]:
    """The administrator's connection."""
    with closing(stack.connect_warehouse()) as opened:
        yield opened


def _rows(connection: Any, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return cursor.execute(statement, parameters).fetchall()


def test_it_may_be_run_again_and_the_fence_stays_one_row(stack: Stack, connection: Any) -> None:
    before = _rows(connection, "SELECT LOAD_ID FROM BANK.RAW.LOAD_FENCE WHERE ID = 1")
    for _ in range(2):
        raw_tables(stack)
    assert _rows(connection, "SELECT LOAD_ID FROM BANK.RAW.LOAD_FENCE") == before
    assert len(before) == 1


def test_tables_have_the_columns_of_their_files(stack: Stack, connection: Any) -> None:
    for path in (warehouse_folder(stack.root) / "raw").glob("*.sql"):
        created = path.read_text().partition("(\n")[2].partition("\n);")[0]
        expected = re.findall(r"^ +(\w+) ", created, flags=re.MULTILINE)
        columns = [name for (name,) in _rows(connection, _COLUMNS, (path.stem.upper(),))]
        assert sorted(columns) == sorted(expected), path.name


def test_an_older_table_gains_the_columns_it_lacks(stack: Stack, connection: Any) -> None:
    _rows(connection, "ALTER TABLE BANK.RAW.CUSTOMERS DROP COLUMN LAST_NAME")
    raw_tables(stack)
    assert ("LAST_NAME",) in _rows(connection, _COLUMNS, ("CUSTOMERS",))


def test_a_statement_that_fails_names_its_file(stack: Stack, connection: Any, tmp_path: Any) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "01_database.sql").write_text("CREATE TABEL nothing;")
    with pytest.raises(warehouse_objects.WarehouseError, match=r"01_database\.sql failed"):
        warehouse_objects.ensure(connection, tmp_path)


@pytest.fixture
def marts(connection: Any) -> Iterator[tuple[ComparedTable, ...]]:
    """Empty tables with the marts' columns, in a schema of their own."""
    schema = f"BANK.TEST_{uuid.uuid4().hex.upper()}"
    _rows(connection, f"CREATE SCHEMA {schema}")
    columns = {
        "MARTS.DIM_CUSTOMERS": "customer_id NUMBER(10,0), first_name VARCHAR(100), last_name VARCHAR(100),"
        " email VARCHAR(255), created_at TIMESTAMP_TZ(6), is_current BOOLEAN",
        "MARTS.DIM_ACCOUNTS": "account_id NUMBER(10,0), customer_id NUMBER(10,0), account_type VARCHAR(50),"
        " balance NUMBER(18,2), currency VARCHAR(3), created_at TIMESTAMP_TZ(6), is_current BOOLEAN",
        "MARTS.FCT_TRANSACTIONS": "transaction_id NUMBER(20,0), account_id NUMBER(10,0), txn_type VARCHAR(50),"
        " amount NUMBER(18,2), related_account_id NUMBER(10,0), status VARCHAR(20), created_at TIMESTAMP_TZ(6)",
    }
    tables: list[ComparedTable] = []
    for table in TABLES:
        name = table.mart.replace("MARTS", schema)
        _rows(connection, f"CREATE TABLE {name} ({columns[table.mart]})")
        tables.append(dataclasses.replace(table, mart=name))
    yield tuple(tables)
    _rows(connection, f"DROP SCHEMA {schema} CASCADE")


def _fill(bank: str, connection: Any, marts: tuple[ComparedTable, ...]) -> None:
    """The same rows on both sides: awkward money, microseconds, other alphabets, NULLs, keys above 2^31."""
    created = "'2026-11-24 03:04:05.123456+00'"
    instant = f"{created}::TIMESTAMP_TZ"
    with psycopg.connect(bank) as source:
        source.execute(
            f"INSERT INTO customers VALUES (1, 'Zoë', 'O''Hara ☃', 'z@x', {created}), (2, 'a', 'b', 'c', NULL)".encode()
        )
        source.execute(
            f"INSERT INTO accounts VALUES (1, 1, 'CHECKING', 9999999999999999.99, 'EUR', {created}),"
            f" (2, 1, 'SAVINGS', 0.10, 'USD', {created})".encode()
        )
        source.execute(
            f"INSERT INTO transactions VALUES (9007199254740993, 1, 'TRANSFER', 0.01, 2, 'COMPLETED', {created}),"
            f" (1, 2, 'DEPOSIT', 100.00, NULL, 'COMPLETED', {created})".encode()
        )
    customers, accounts, transactions = (table.mart for table in marts)
    for statement in (
        f"INSERT INTO {customers} SELECT 2, 'a', 'b', 'c', NULL, TRUE",
        f"INSERT INTO {customers} SELECT 1, 'Zoë', 'O''Hara ☃', 'z@x', {instant}, TRUE",
        f"INSERT INTO {customers} SELECT 1, 'Zoë', 'before', 'z@x', {instant}, FALSE",
        f"INSERT INTO {accounts} SELECT 1, 1, 'CHECKING', 9999999999999999.99, 'EUR', {instant}, TRUE",
        f"INSERT INTO {accounts} SELECT 2, 1, 'SAVINGS', 0.10, 'USD', {instant}, TRUE",
        f"INSERT INTO {transactions} SELECT 9007199254740993, 1, 'TRANSFER', 0.01, 2, 'COMPLETED', {instant}",
        f"INSERT INTO {transactions} SELECT 1, 2, 'DEPOSIT', 100.00, NULL, 'COMPLETED', {instant}",
    ):
        _rows(connection, statement)


def test_equal_sides_are_equal_to_the_cent_and_the_microsecond(
    bank: str, connection: Any, marts: tuple[ComparedTable, ...]
) -> None:
    _fill(bank, connection, marts)
    differences = verify(bank, connection, marts)
    assert [(difference.table.table, difference.equal) for difference in differences] == [
        ("customers", True),
        ("accounts", True),
        ("transactions", True),
    ], differences
    assert [str(difference.mart.money) for difference in differences] == ["0", "10000000000000000.09", "100.01"]


@pytest.mark.parametrize(
    ("table", "change", "column"),
    [
        (1, "UPDATE {} SET balance = balance - 0.01 WHERE account_id = 1", "balance"),
        (
            2,
            _LATER,
            "created_at",
        ),
        (0, "UPDATE {} SET last_name = 'b ' WHERE customer_id = 2", "last_name"),
        (2, "UPDATE {} SET related_account_id = 0 WHERE transaction_id = 1", "related_account_id"),
    ],
)
def test_one_planted_value_is_found(
    bank: str, connection: Any, marts: tuple[ComparedTable, ...], table: int, change: str, column: str
) -> None:
    _fill(bank, connection, marts)
    _rows(connection, change.format(marts[table].mart))
    differences = verify(bank, connection, marts)
    assert [number for number, difference in enumerate(differences) if not difference.equal] == [table]
    assert dict(differences[table].columns) == {column: 1}


def test_a_missing_and_a_repeated_row_are_found(bank: str, connection: Any, marts: tuple[ComparedTable, ...]) -> None:
    _fill(bank, connection, marts)
    transactions = marts[2].mart
    _rows(connection, f"DELETE FROM {transactions} WHERE transaction_id = 1")
    _rows(connection, f"INSERT INTO {transactions} SELECT * FROM {transactions}")
    difference = verify(bank, connection, marts)[2]
    assert (difference.source.only_here, difference.mart.only_here, difference.keys) == (1, 1, [1, 9007199254740993])


def test_before_the_first_build_every_row_is_missing(
    bank: str, connection: Any, marts: tuple[ComparedTable, ...]
) -> None:
    _fill(bank, connection, marts)
    _rows(connection, f"DROP TABLE {marts[1].mart}")
    differences = verify(bank, connection, marts)
    assert [difference.equal for difference in differences] == [True, False, True]
    assert (differences[1].source.only_here, differences[1].mart.rows) == (2, 0)
