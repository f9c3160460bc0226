"""Only the build that holds the fence writes: refused without a number, stale at any point, and in the MERGE itself."""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import history as h
from local_warehouse import BUILD, LocalWarehouse

SEED = 20261128
SNAPSHOT = "select id, dbt_scd_id, dbt_valid_to is null from BANK.SNAPSHOTS.ACCOUNTS_SNAPSHOT order by 1, 2, 3"
OPEN_TWICE = """
    select id, count(*) from BANK.SNAPSHOTS.ACCOUNTS_SNAPSHOT where dbt_valid_to is null group by id having count(*) > 1
"""
MERGE_BEGINS = "set HEARTBEAT_AT = current_timestamp()"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    running = LocalWarehouse(tmp_path_factory.mktemp("warehouse"))
    yield running
    running.close()


def _land(warehouse: LocalWarehouse, told: h.History, first: int, last: int) -> None:
    """Everything that the transactions of this range wrote, and the snapshot before the first."""
    for table in h.TABLES:
        rows = [row for number, row in told.records[table] if first <= number < last or (first == 0 and number < 0)]
        warehouse.insert(table, (*h.COLUMNS[table], *h.CDC), rows)
    ends = ("status", "tx_id", "lsn", "event_count", "collections", "_cdc_source_time", "_cdc_offset", "_cdc_partition")
    warehouse.insert("SOURCE_TRANSACTIONS", ends, h.end_rows(told)[2 * first : 2 * last])


@pytest.fixture(scope="module")
def told(warehouse: LocalWarehouse) -> h.History:
    """A history of which the first half was built, and the second half has landed since."""
    told = h.history(random.Random(SEED), 60)
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
    warehouse.insert("SOURCE_NOTIFICATIONS", columns, h.notification_rows(told))
    _land(warehouse, told, 0, 30)
    warehouse.build()
    _land(warehouse, told, 30, 60)
    return told


@pytest.mark.parametrize("command", ["build", "run", "snapshot"])
def test_a_bare_dbt_that_writes_is_refused_and_told_the_door(warehouse: LocalWarehouse, command: str) -> None:
    held, warehouse.fence = warehouse.fence, {}
    try:
        outcome = warehouse.dbt(command)
    finally:
        warehouse.fence = held
    assert not outcome.success
    assert "`bank build`" in outcome.output
    assert warehouse.query("show tables in schema BANK.MARTS") == []


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("stale", [{"BANK_BUILD_NUMBER": "0"}, {"BANK_BUILD_OWNER": "somebody else"}])
def test_a_stale_number_or_owner_is_refused_on_run_start(warehouse: LocalWarehouse, stale: dict[str, str]) -> None:
    held = warehouse.fence
    warehouse.fence = held | stale
    try:
        outcome = warehouse.dbt(*BUILD)
    finally:
        warehouse.fence = held
    assert not outcome.success
    assert "does not hold RAW.BUILD_FENCE any more" in outcome.output


@pytest.mark.usefixtures("told")
def test_each_table_compares_the_number_before_it_is_written(warehouse: LocalWarehouse) -> None:
    """Taken over while it runs: the table under way is written, and none after it."""
    build = warehouse.start_dbt(*BUILD, "--threads", "1")
    assert build.stdout is not None
    output = []
    for line in build.stdout:
        output.append(line)
        if "OK created sql table model INTERMEDIATE.int_watermark" in line:
            warehouse.fence = warehouse.hold_fence(int(warehouse.fence["BANK_BUILD_NUMBER"]) + 1, "whoever took over")
    assert build.wait(60) != 0
    told_all = "".join(output)
    assert "does not hold RAW.BUILD_FENCE any more" in told_all
    assert "OK created sql table model MARTS" not in told_all
    assert "OK snapshotted" not in told_all


def test_a_takeover_that_comes_between_hook_and_merge_leaves_the_snapshot_as_it_was(
    warehouse: LocalWarehouse, told: h.History
) -> None:
    """The pre-hook still read the old number; the MERGE's own comparison is what is left."""
    before = warehouse.query(SNAPSHOT)
    log = warehouse.folder / "dbt-log" / "dbt.log"
    build = warehouse.start_dbt(*BUILD, "--threads", "1")
    assert build.stdout is not None
    taking = warehouse.connect()
    with taking.cursor() as cursor:
        output = []
        for line in build.stdout:
            output.append(line)
            if "OK created sql table model INTERMEDIATE.int_watermark" not in line:
                continue
            # Not committed yet: hooks, which have noted the session, read on as before; the MERGE's transaction waits.
            seen = log.stat().st_size
            cursor.execute("begin")
            cursor.execute("update BANK.RAW.BUILD_FENCE set BUILD_NUMBER = BUILD_NUMBER + 1, OWNER = 'took over'")
            deadline = time.monotonic() + 120
            while MERGE_BEGINS not in log.read_text()[seen:]:
                assert time.monotonic() < deadline, "no snapshot came to its MERGE"
                # A transaction of which nothing is heard would be rolled back.
                cursor.execute("select 1")
                time.sleep(0.05)
            cursor.execute("commit")
    taking.close()
    assert build.wait(60) != 0, "".join(output)
    assert "a newer build holds the fence" in "".join(output)
    assert warehouse.query(SNAPSHOT) == before

    number = warehouse.query("select BUILD_NUMBER from BANK.RAW.BUILD_FENCE")[0][0]
    warehouse.fence = warehouse.hold_fence(int(number) + 1, "the next one")
    warehouse.build()
    assert warehouse.query(OPEN_TWICE) == []
    assert warehouse.query(SNAPSHOT) != before
    current = (
        "select id, customer_id, account_type, balance, currency, created_at from BANK.SNAPSHOTS.ACCOUNTS_SNAPSHOT"
    )
    rows = warehouse.query(f"{current} where dbt_valid_to is null and dbt_is_deleted = 'False'")
    assert set(rows) == h.fold(told, told.commits, "accounts"), f"seed {SEED}"
