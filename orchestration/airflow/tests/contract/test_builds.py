"""Two builds at once, by hand and as the DAG builds, one of them killed now and then: real dbt on a real warehouse.

BUILD_ROUNDS rounds, in each fifth of them the build that holds the fence is killed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loading_testing.stack import Stack

ROUNDS = int(os.environ.get("BUILD_ROUNDS", "2"))
NEXT_BUILD_SECONDS = 90
BY_HAND = ("-m", "bank_dags.build", "--wait")
AS_THE_DAG = ("-c", "from bank_dags import tasks; tasks.build_marts('contract', [])")
START = datetime(2026, 1, 2, tzinfo=UTC)
ACCOUNT = (
    "id, customer_id, account_type, balance, currency, created_at, _cdc_op, _cdc_snapshot, _cdc_lsn, _cdc_tx_id, "
    "_cdc_tx_order, _cdc_source_time, _cdc_partition, _cdc_offset"
)


class Bank:
    """An account whose balance changes, as RAW tells of it."""

    def __init__(self, running: Stack, folder: Path) -> None:
        self._running = running
        self.environment = os.environ | running.environment | {"BANK_DAGS_STATE_DIR": str(folder)}
        self.changes = 0
        self.execute("USE SCHEMA RAW")
        for table in ("ACCOUNTS", "SOURCE_TRANSACTIONS", "SOURCE_NOTIFICATIONS", "LOAD_LEDGER", "LOAD_TAILS"):
            self.execute(f"DELETE FROM RAW.{table}")
        self.execute("DELETE FROM RAW.BUILD_LEDGER")
        kinds = [("STARTED", None, None)]
        kinds += [("TABLE_SCAN_COMPLETED", f"public.{name}", int(name == "accounts")) for name in TABLES]
        kinds.append(("COMPLETED", None, None))
        for number, kind in enumerate(kinds):
            self._insert(
                "SOURCE_NOTIFICATIONS",
                "id, aggregate_type, type, table_name, row_count, _cdc_source_time, _cdc_offset, _cdc_partition",
                (f"n{number}", "Initial Snapshot", *kind, START, number, 0),
            )
        self._account("r", "first", 90, 90, None)

    def change(self) -> None:
        """Commit and load one more change of the balance: a build is pending."""
        self.changes += 1
        number, lsn = self.changes, 100 * self.changes
        self._account("u", "false", lsn, 500 + number, 1)
        told = '[{"data_collection": "public.accounts", "event_count": 1}]'
        columns = "status, tx_id, lsn, event_count, collections, _cdc_source_time, _cdc_offset, _cdc_partition"
        values = ("END", 500 + number, lsn + 1, 1, told, START + timedelta(seconds=number), 2 * number, 0)
        self._insert("SOURCE_TRANSACTIONS", columns, values)
        self._insert("LOAD_LEDGER", "segment, load_id, changes_marts, status", (f"s{number}", number, True, "loaded"))
        self.execute("DELETE FROM RAW.LOAD_TAILS")
        self._insert(
            "LOAD_TAILS",
            "topic, topic_partition, start_offset, end_offset, status, changed_load_id",
            ("bank.public.accounts", 0, number, number + 1, "loaded", number),
        )

    def _account(self, kind: str, snapshot: str, lsn: int, tx_id: int, order: int | None) -> None:
        row = (1, 7, "CHECKING", 100 + self.changes, "USD", START)
        position = (lsn, tx_id, order, START + timedelta(seconds=self.changes), 0, self.changes)
        self._insert("ACCOUNTS", ACCOUNT, (*row, kind, snapshot, *position))

    def _insert(self, table: str, columns: str, values: tuple[object, ...]) -> None:
        marks = ", ".join(["%s"] * len(values))
        self.execute(f"INSERT INTO RAW.{table} ({columns}) VALUES ({marks})", values)

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._running.session.cursor() as cursor:
            return [tuple(row) for row in cursor.execute(statement, values or None).fetchall()]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A build in a process of its own, as Airflow's and a person's are."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def owner_at_work(self) -> int | None:
        """The process that holds the fence while its dbt writes."""
        ((holder, sessions),) = self.execute("SELECT HOLDER, SESSIONS FROM RAW.BUILD_FENCE WHERE ENDED_AT IS NULL") or [
            (None, ",")
        ]
        return int(holder.rpartition(" ")[2]) if holder and len(sessions or ",") > 1 else None

    def check(self) -> None:
        """One open row a key in the snapshot, and it is the last state; every version in the mart."""
        last = 100 + self.changes
        opened = self.execute("SELECT BALANCE FROM SNAPSHOTS.ACCOUNTS_SNAPSHOT WHERE DBT_VALID_TO IS NULL")
        assert [int(balance) for (balance,) in opened] == [last]
        versions = self.execute("SELECT BALANCE FROM MARTS.DIM_ACCOUNTS ORDER BY BALANCE")
        assert [int(balance) for (balance,) in versions] == list(range(100, last + 1))


TABLES = ("customers", "accounts", "transactions")


@pytest.fixture
def bank(running: Stack, tmp_path: Path) -> Iterator[Bank]:
    made = Bank(running, tmp_path)
    yield made
    for schema in ("STAGING", "INTERMEDIATE", "SNAPSHOTS", "MARTS"):
        made.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def _end(build: subprocess.Popen[str]) -> str:
    said, _ = build.communicate(timeout=300)
    return said


@pytest.mark.timeout(240 * ROUNDS)
def test_two_builds_at_once_double_no_open_row_and_lose_no_version(bank: Bank) -> None:
    taken_over = 0
    for number in range(ROUNDS):
        bank.change()
        builds = [bank.start(*BY_HAND), bank.start(*AS_THE_DAG)]
        if number % 5 == 1:
            deadline = time.monotonic() + 120
            while (victim := bank.owner_at_work()) is None:
                assert time.monotonic() < deadline, "nobody builds"
                time.sleep(0.05)
            os.kill(victim, signal.SIGKILL)
            killed = time.monotonic()
            (left,) = [build for build in builds if build.pid != victim]
            said = _end(left)
            assert left.returncode == 0, said
            assert time.monotonic() - killed < NEXT_BUILD_SECONDS, said
            taken_over += 1
            for build in builds:
                _end(build)
        else:
            for build in builds:
                said = _end(build)
                assert build.returncode == 0, said
        bank.check()
    ((takeovers,),) = bank.execute("SELECT COUNT(*) FROM RAW.BUILD_TAKEOVERS")
    assert takeovers == taken_over
