"""The marts against an independent fold, while topics lag behind each other, and after a killed build."""

import random
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import history as h
from warehouse import Warehouse

SEED = 20261124
MARTS = {
    "customers": (
        "select customer_id, first_name, last_name, email, created_at from BANK.MARTS.DIM_CUSTOMERS where is_current"
    ),
    "accounts": (
        "select account_id, customer_id, account_type, balance, currency, created_at"
        " from BANK.MARTS.DIM_ACCOUNTS where is_current"
    ),
    "transactions": (
        "select transaction_id, account_id, txn_type, amount, related_account_id, status, created_at"
        " from BANK.MARTS.FCT_TRANSACTIONS"
    ),
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    running = Warehouse(tmp_path_factory.mktemp("warehouse"))
    yield running
    running.close()


def _snapshot(warehouse: Warehouse) -> None:
    """The notifications of an initial snapshot of an empty bank."""
    kinds = [("STARTED", None, None), *[("TABLE_SCAN_COMPLETED", f"public.{table}", 0) for table in h.TABLES]]
    rows = [
        (f"n{i}", "Initial Snapshot", kind, table, count, h.START, i, 0)
        for i, (kind, table, count) in enumerate([*kinds, ("COMPLETED", None, None)])
    ]
    columns = (
        "id",
        "aggregate_type",
        "type",
        "table_name",
        "row_count",
        "_cdc_source_time",
        "_cdc_offset",
        "_cdc_partition",
    )
    warehouse.insert("SOURCE_NOTIFICATIONS", columns, rows)


END_COLUMNS = (
    "status",
    "tx_id",
    "lsn",
    "event_count",
    "collections",
    "_cdc_source_time",
    "_cdc_offset",
    "_cdc_partition",
)


def _check(warehouse: Warehouse, expected: list[h.Transaction]) -> None:
    for table, sql in MARTS.items():
        assert set(warehouse.query(sql)) == h.fold(expected, table), f"{table} (seed {SEED})"
    position = expected[-1].end_offset if expected else -1
    assert warehouse.query("select commit_position from BANK.MARTS.PIPELINE_WATERMARK") == [(position,)]
    counted = warehouse.query("select count(*) from BANK.MARTS.DIM_ACCOUNTS")[0][0]
    assert counted == h.versions(expected, "accounts")


@pytest.mark.timeout(600)
def test_marts_equal_the_fold_of_whole_transactions(warehouse: Warehouse) -> None:
    rng = random.Random(SEED)
    transactions = h.history(rng, 60)
    changes = {table: h.change_rows(transactions, table) for table in h.TABLES}
    ends = h.end_rows(transactions)
    landed = dict.fromkeys(h.TABLES, 0)
    ended = 0

    warehouse.dbt("build", "--exclude-resource-type", "unit_test")  # an empty RAW builds
    assert warehouse.query(MARTS["customers"]) == []

    def arrive(share: float) -> None:
        nonlocal ended
        for table in h.TABLES:
            upto = min(
                len(changes[table]), max(landed[table], int(len(changes[table]) * share * rng.uniform(0.7, 1.2)))
            )
            warehouse.insert(table, (*h.COLUMNS[table], *h.CDC), changes[table][landed[table] : upto])
            landed[table] = upto
        upto = min(len(ends), max(ended, int(len(ends) * share * rng.uniform(0.7, 1.2))))
        warehouse.insert("SOURCE_TRANSACTIONS", END_COLUMNS, ends[ended:upto])
        ended = upto

    arrive(0.4)
    warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    assert warehouse.query(MARTS["customers"]) == [], "shown before the snapshot was whole"

    _snapshot(warehouse)
    killed = warehouse.start_dbt("build", "--exclude-resource-type", "unit_test")
    assert killed.stdout is not None
    for line in killed.stdout:
        if re.search(r"OK created sql table model INTERMEDIATE\.int_watermark", line):
            killed.send_signal(signal.SIGKILL)
            break
    killed.wait(30)
    warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    _check(warehouse, h.whole(transactions, landed, ended))

    arrive(10)
    assert (landed, ended) == ({table: len(changes[table]) for table in h.TABLES}, len(ends))
    warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    _check(warehouse, transactions)
    current = "dbt_valid_to is null and dbt_is_deleted = 'False'"
    snapshot = f"select id, balance from BANK.SNAPSHOTS.ACCOUNTS_SNAPSHOT where {current}"
    assert set(warehouse.query(snapshot)) == {(row[0], row[3]) for row in h.fold(transactions, "accounts")}


def test_dbt_unit_tests_pass(warehouse: Warehouse) -> None:
    output = warehouse.dbt("test", "--select", "test_type:unit")
    assert re.search(r"PASS=([1-9]\d*) WARN=0 ERROR=0", output), output[-2000:]


def test_the_watermark_refuses_without_exactly_once_source(warehouse: Warehouse) -> None:
    run = warehouse.start_dbt("compile", "--select", "int_watermark", "--vars", "exactly_once_source: false")
    output, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "exactly-once" in output
