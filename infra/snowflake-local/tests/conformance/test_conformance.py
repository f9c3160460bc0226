"""Every case of conformance/*.yaml, through the real connector, on the stand-in or on an account."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
_EXPECTATIONS = {"rows", "cells", "types", "errno", "fails", "count", "rowcount", "columns"}
_MANY = ", ".join(f"'{number}.parquet'" for number in range(1001))
_NO_ANSWER = (250001, 250003, 290400, 290500, 603)
"""The client's numbers for an HTTP error, and ours for a bug: neither is a SQL error."""
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
    more = {"id": pa.array([4], pa.int64()), "amount": pa.array([Decimal("4.00")], pa.decimal128(18, 2))}
    pq.write_table(pa.table(more), folder / "more.parquet")
    pq.write_table(pa.table({"id": pa.array([5, None], pa.int64())}), folder / "null.parquet")
    (folder / "torn.parquet").write_bytes((folder / "good.parquet").read_bytes()[:-20])
    pq.write_table(pa.table(_every_kind(instant)), folder / "kinds.parquet")
    return folder


def _every_kind(instant: dt.datetime) -> dict[str, pa.Array]:
    """One column of each Arrow type that a landed segment may have, with a value and a NULL."""
    values = {
        "a_boolean": (True, pa.bool_()),
        "an_int32": (-(2**31), pa.int32()),
        "an_int64": (2**63 - 1, pa.int64()),
        "a_float32": (0.5, pa.float32()),
        "a_float64": (-0.1, pa.float64()),
        "a_string": ('[1,"é",null]', pa.string()),
        "some_bytes": (b"\x00\xff", pa.binary()),
        "a_decimal": (Decimal("-123456789012345678901234567890123456.78"), pa.decimal128(38, 2)),
        "a_date": (dt.date(2026, 1, 2), pa.date32()),
        "a_time": (dt.time(23, 59, 59, 999999), pa.time64("us")),
        "a_timestamp": (instant.replace(tzinfo=None), pa.timestamp("us")),
        "an_instant": (instant, pa.timestamp("us", "UTC")),
    }
    return {name: pa.array([value, None], kind) for name, (value, kind) in values.items()}


@dataclass(frozen=True)
class Account:
    """The session of the cases, another one for what somebody else does meanwhile, and one for a single case."""

    cursor: Any
    other: Any
    connect: Callable[[], Any]
    new: list[Any] = field(default_factory=list)

    def new_session(self) -> Any:
        if not self.new:
            self.new.append(self.connect().cursor())
        return self.new[0]

    def end(self) -> None:
        """After each case; a case may have ended its new session already."""
        self.cursor.execute("rollback")
        self.cursor.execute("alter session set autocommit = true")
        self.cursor.execute("alter session unset STATEMENT_TIMEOUT_IN_SECONDS, LOCK_TIMEOUT")
        self.other.execute("rollback")
        while self.new:
            self.new.pop().connection.close()


@pytest.fixture(scope="module")
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    real = request.config.getoption("--account") == "real"
    connect = account_connection if real else request.getfixturevalue("server").connect
    with connect() as connection, connect() as elsewhere:
        database = connection.database or DATABASE if real else DATABASE
        account = Account(connection.cursor(), elsewhere.cursor(), connect)
        account.cursor.execute(f"create database if not exists {database}")
        account.cursor.execute(f"create schema if not exists {database}.{SCHEMA}")
        account.cursor.execute(f"use schema {database}.{SCHEMA}")
        account.cursor.execute("alter session set TIMEZONE = 'UTC'")
        yield account
        account.cursor.execute(f"drop schema if exists {database}.{SCHEMA} cascade")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime, dt.time)) else value


def _text(statement: str, account: Account) -> str:
    database = account.cursor.connection.database
    names = {"{schema}": f"{database}.{SCHEMA}", "{database}": database, "{copy}": COPY_OPTIONS, "{1001 files}": _MANY}
    names["{600 rows}"] = ", ".join(rf"({number}, 'it\'s\n{number % 2}', -0.5)" for number in range(600))
    sessions = {"{session}": account.cursor, "{other session}": account.other, "{new session}": None}
    for name, cursor in sessions.items():
        if name in statement:
            names[name] = str((cursor or account.new_session()).connection.session_id)
    for name, value in names.items():
        statement = statement.replace(name, value)
    return statement


def _prepare(step: Any, account: Account, files: Path) -> None:
    """One step: a statement, {put: …}, {fails: a statement}, {other: a statement of another session},

    or {new: a statement of a session of this case's own}.
    """
    cursor = account.cursor
    match step:
        case str():
            cursor.execute(_text(step, account))
        case {"put": {"file": file, "to": to}}:
            cursor.execute(f"put file://{files / file} {to} auto_compress=false overwrite=true")
        case {"fails": statement}:
            with pytest.raises(Error):
                cursor.execute(_text(statement, account))
        case {"other": statement}:
            account.other.execute(_text(statement, account))
        case {"new": statement}:
            account.new_session().execute(_text(statement, account))
        case _:
            raise AssertionError(f"unknown step {step}")


def _check(case: dict[str, Any], account: Account, files: Path) -> None:
    cursor = account.cursor
    for step in case.get("setup", []):
        _prepare(step, account, files)
    statement = _text(case["sql"], account).replace("{files}", str(files))
    if "errno" in case or "fails" in case:
        with pytest.raises(Error) as caught:
            cursor.execute(statement)
        assert caught.value.errno not in _NO_ANSWER, str(caught.value)
        assert caught.value.errno == case.get("errno", caught.value.errno), str(caught.value)
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
    for column, cells in case.get("cells", {}).items():
        assert [row[column] for row in rows] == cells
    if "columns" in case:
        assert [column.name for column in cursor.description] == case["columns"]


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any], account: Account, files: Path, request: pytest.FixtureRequest) -> None:
    real = request.config.getoption("--account") == "real"
    if real and "local_only" in case:
        return  # what only the stand-in has to refuse
    assert _EXPECTATIONS & set(case), "a case without an expectation proves nothing"
    gap = None if real else case.get("known_gap")
    try:
        _check(case, account, files)
    except (AssertionError, Error, pytest.fail.Exception):
        if gap is None:
            raise
    else:
        assert gap is None, f"this gap is closed: remove known_gap ({gap})"
    finally:
        account.end()


def test_every_case_says_only_what_is_read() -> None:
    assert len(CASES) > 100
    for case in (parameter.values[0] for parameter in CASES):
        assert isinstance(case, dict)
        assert set(case) <= _EXPECTATIONS | {"name", "setup", "sql", "binds", "message", "known_gap", "local_only"}, (
            case
        )
