"""Every case of conformance/*.yaml, through the real connector, on the stand-in or on an account."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from snowflake.connector.errors import Error
from support import COPY_OPTIONS, account_connection

FOLDER = Path(__file__).resolve().parents[2] / "conformance"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]
DATABASE, SCHEMA = "SNOWFLAKE_LOCAL_CONFORMANCE", "CASES"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    instant = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.UTC)
    amounts = [Decimal("1.10"), Decimal("2.20"), Decimal("3.30")]
    good = {
        "id": pa.array([1, 2, 3], pa.int64()),
        "amount": pa.array(amounts, pa.decimal128(18, 2)),
        "booked_at": pa.array([instant, None, instant], pa.timestamp("us", "UTC")),
    }
    pq.write_table(pa.table(good), folder / "good.parquet")
    pq.write_table(pa.table({"id": pa.array([1], pa.int64()), "amount": ["many"]}), folder / "bad.parquet")
    return folder


@pytest.fixture(scope="module")
def cursor(request: pytest.FixtureRequest) -> Iterator[Any]:
    real = request.config.getoption("--account") == "real"
    connection = account_connection() if real else request.getfixturevalue("server").connect()
    database = connection.database or DATABASE if real else DATABASE
    with connection.cursor() as cursor:
        cursor.execute(f"create database if not exists {database}")
        cursor.execute(f"create schema if not exists {database}.{SCHEMA}")
        cursor.execute(f"use schema {database}.{SCHEMA}")
        cursor.execute("alter session set TIMEZONE = 'UTC'")
        yield cursor
        cursor.execute(f"drop schema if exists {database}.{SCHEMA} cascade")
    connection.close()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value


def _text(statement: str, cursor: Any) -> str:
    database = cursor.connection.database
    names = {"{schema}": f"{database}.{SCHEMA}", "{database}": database, "{copy}": COPY_OPTIONS}
    for name, value in names.items():
        statement = statement.replace(name, value)
    return statement


def _check(case: dict[str, Any], cursor: Any, files: Path) -> None:
    for step in case.get("setup", []):
        if isinstance(step, dict):
            put = step["put"]
            cursor.execute(f"put file://{files / put['file']} {put['to']} auto_compress=false overwrite=true")
        else:
            cursor.execute(_text(step, cursor))
    statement = _text(case["sql"], cursor)
    if "errno" in case:
        with pytest.raises(Error) as caught:
            cursor.execute(statement)
        assert caught.value.errno == case["errno"], str(caught.value)
        assert case.get("message", "") in str(caught.value)
        return
    rows = cursor.execute(statement, case.get("binds")).fetchall()
    if "rows" in case:
        assert [[_plain(value) for value in row] for row in rows] == case["rows"]
    if "types" in case:
        assert [type(value).__name__ for value in rows[0]] == case["types"]
    if "count" in case:
        assert len(rows) == case["count"]
    if "rowcount" in case:
        assert cursor.rowcount == case["rowcount"]
    if "columns" in case:
        assert [column.name for column in cursor.description] == case["columns"]


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any], cursor: Any, files: Path, request: pytest.FixtureRequest) -> None:
    real = request.config.getoption("--account") == "real"
    if real and "local_only" in case:
        return  # what only the stand-in has to refuse
    assert {"rows", "errno", "count", "rowcount"} & set(case), "a case without an expectation proves nothing"
    gap = None if real else case.get("known_gap")
    try:
        _check(case, cursor, files)
    except (AssertionError, Error, pytest.fail.Exception):
        if gap is None:
            raise
    else:
        assert gap is None, f"this gap is closed: remove known_gap ({gap})"
    finally:
        cursor.execute("rollback")


def test_there_are_cases() -> None:
    assert len(CASES) > 40
