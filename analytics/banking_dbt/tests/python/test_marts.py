"""The marts against an independent fold: while topics lag, while a load commits in a build, and after killed builds."""

import json
import random
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import history as h
from local_warehouse import BUILD, LocalWarehouse

SEED = 20261124
WATERMARK_MADE = r"OK created sql table model INTERMEDIATE\.int_watermark"
SNAPSHOT_STARTED = r"START snapshot SNAPSHOTS\.accounts_snapshot"
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
SNAPSHOTS = {
    "customers": "select id, first_name, last_name, email, created_at from BANK.SNAPSHOTS.CUSTOMERS_SNAPSHOT",
    "accounts": (
        "select id, customer_id, account_type, balance, currency, created_at from BANK.SNAPSHOTS.ACCOUNTS_SNAPSHOT"
    ),
}
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
NOTIFICATION_COLUMNS = (
    "id",
    "aggregate_type",
    "type",
    "table_name",
    "row_count",
    "_cdc_source_time",
    "_cdc_offset",
    "_cdc_partition",
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    running = LocalWarehouse(tmp_path_factory.mktemp("warehouse"))
    yield running
    running.close()


class Loader:
    """Puts a history into RAW bit by bit; each table's topic, and that of the ENDs, at its own pace."""

    def __init__(self, warehouse: LocalWarehouse, rng: random.Random, told: h.History) -> None:
        self._warehouse, self._rng, self.told = warehouse, rng, told
        self.landed: dict[str, int] = dict.fromkeys(h.TABLES, 0)
        self.ends = 0
        self.load_id = 0

    def arrive(self, share: float) -> None:
        for table in h.TABLES:
            rows = h.rows(self.told, table)
            upto = self._upto(self.landed[table], len(rows), share)
            self._warehouse.insert(table, (*h.COLUMNS[table], *h.CDC), rows[self.landed[table] : upto])
            self.landed[table] = upto
        rows = h.end_rows(self.told)
        upto = self._upto(self.ends, len(rows), share)
        self._warehouse.insert("SOURCE_TRANSACTIONS", END_COLUMNS, rows[self.ends : upto])
        self.ends = upto
        self.load_id += 1
        self._warehouse.insert("LOAD_LEDGER", ("segment", "load_id"), [(f"s{self.load_id}", self.load_id)])

    def _upto(self, landed: int, total: int, share: float) -> int:
        return min(total, max(landed, int(total * share * self._rng.uniform(0.8, 1.2))))

    def whole(self) -> list[h.SourceCommit]:
        return h.whole(self.told, self.landed, self.ends)


def _build_until(warehouse: LocalWarehouse, pattern: str, then: Callable[[], object]) -> int:
    """Start a build, call `then` once a line matches, and wait for its end."""
    build = warehouse.start_dbt(*BUILD)
    assert build.stdout is not None
    output, met = [], False
    for line in build.stdout:
        output.append(line)
        if not met and re.search(pattern, line):
            met = True
            if then() is STOP:
                build.send_signal(signal.SIGKILL)
                break
    build.stdout.close()
    status = build.wait(30)
    assert met, "".join(output)
    return status


STOP = object()


def _check(warehouse: LocalWarehouse, told: h.History, expected: list[h.SourceCommit], load_id: int) -> None:
    for table, sql in MARTS.items():
        rows = warehouse.query(sql)
        assert len(rows) == len(set(rows))
        assert set(rows) == h.fold(told, expected, table), f"{table} (seed {SEED})"
    position = 10**19 + expected[-1].end_lsn if expected else -1
    reached = warehouse.query(
        "select commit_position, loaded_load_id, transactions_waiting >= 0, snapshot_complete"
        " from BANK.MARTS.PIPELINE_WATERMARK"
    )
    assert reached == [(position, load_id, True, True)]
    versions = warehouse.query(
        "select account_id, customer_id, account_type, balance, currency, created_at from BANK.MARTS.DIM_ACCOUNTS"
        " order by valid_from_position, valid_from_order, account_id"
    )
    assert versions == h.versions(told, expected, "accounts")
    for table, sql in SNAPSHOTS.items():
        current = warehouse.query(f"{sql} where dbt_valid_to is null and dbt_is_deleted = 'False'")
        assert len(current) == len(set(current))
        assert set(current) == h.fold(told, expected, table), f"dbt's snapshot of {table} (seed {SEED})"


@pytest.mark.timeout(900)
def test_marts_equal_the_fold_of_whole_commits(warehouse: LocalWarehouse) -> None:
    rng = random.Random(SEED)
    told = h.history(rng, 80)
    loader = Loader(warehouse, rng, told)
    notifications = h.notification_rows(told)

    warehouse.build()  # an empty RAW builds
    assert [warehouse.query(sql) for sql in MARTS.values()] == [[], [], []]

    loader.arrive(0.4)
    warehouse.insert("SOURCE_NOTIFICATIONS", NOTIFICATION_COLUMNS, notifications[:-1])
    warehouse.build()
    assert [warehouse.query(sql) for sql in MARTS.values()] == [[], [], []], "shown before the snapshot was complete"
    assert warehouse.query("select commit_position, snapshot_complete from BANK.MARTS.PIPELINE_WATERMARK") == [
        (-1, False)
    ]

    warehouse.insert("SOURCE_NOTIFICATIONS", NOTIFICATION_COLUMNS, notifications[-1:])
    assert _build_until(warehouse, WATERMARK_MADE, lambda: STOP) == -signal.SIGKILL
    expected = loader.whole()
    assert 5 < len(expected) < len(told.commits) - 5, "the seed must leave commits on both sides"
    # A load commits while the build reads RAW, after its watermark: none of it is shown.
    assert _build_until(warehouse, WATERMARK_MADE, lambda: loader.arrive(0.7)) == 0
    assert len(loader.whole()) > len(expected)
    _check(warehouse, told, expected, load_id=1)

    loader.arrive(10)
    assert loader.whole() == told.commits
    assert _build_until(warehouse, SNAPSHOT_STARTED, lambda: STOP) == -signal.SIGKILL
    # Each END comes once more, the last one first, as out of a topic that was made anew: no commit moves.
    again = [(*row[:-2], row[-2] + 10**6, row[-1]) for row in reversed(h.end_rows(told))]
    warehouse.insert("SOURCE_TRANSACTIONS", END_COLUMNS, again)
    # What an older version of the project had made under another name.
    warehouse.query("create view BANK.STAGING.STG_CUSTOMER_CHANGES as select * from BANK.RAW.CUSTOMERS")
    warehouse.query("create table BANK.INTERMEDIATE.INT_CUSTOMER_CHANGES (ID number(10, 0))")
    warehouse.build()
    _check(warehouse, told, told.commits, load_id=3)
    retired = "select count(*) from BANK.INFORMATION_SCHEMA.TABLES where TABLE_NAME like '%_CUSTOMER_CHANGES'"
    assert warehouse.query(retired) == [(0,)]


def test_dbt_unit_tests_pass(warehouse: LocalWarehouse) -> None:
    outcome = warehouse.dbt("test", "--select", "test_type:unit")
    assert outcome.success, outcome.output[-2000:]
    assert re.search(r"PASS=([1-9]\d*) WARN=0 ERROR=0", outcome.output)


def test_everything_compiles(warehouse: LocalWarehouse) -> None:
    outcome = warehouse.dbt("compile")
    assert outcome.success, outcome.output[-2000:]


@pytest.mark.parametrize("changed", [(), ("dim_accounts",), ("int_accounts_current",)])
def test_a_deployment_builds_what_changed_what_depends_on_it_and_every_snapshot(
    warehouse: LocalWarehouse, tmp_path: Path, changed: tuple[str, ...]
) -> None:
    assert warehouse.dbt("parse").success
    manifest = json.loads((warehouse.folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    for name in changed:
        manifest["nodes"][f"model.banking.{name}"]["raw_code"] = "select 1  -- of the last deployment"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    listed = warehouse.dbt("ls", "--selector", "deployment", "--state", str(tmp_path), "--output", "name", "--quiet")
    assert listed.success, listed.output
    snapshots = {"accounts_snapshot", "customers_snapshot"}
    models = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    dependants = {
        name.rpartition(".")[2]
        for node in changed
        for name in manifest["child_map"][f"model.banking.{node}"]
        if name.startswith("model.")
    }
    chosen = set(listed.output.split())
    assert chosen >= snapshots
    assert chosen & models == {*changed, *dependants}


def test_the_watermark_refuses_without_exactly_once_source(warehouse: LocalWarehouse) -> None:
    outcome = warehouse.dbt("compile", "--select", "int_watermark", "--vars", "exactly_once_source: false")
    assert not outcome.success
    assert "refuses to run with exactly-once source off" in outcome.output


def test_freshness_tells_a_source_that_stands_still(warehouse: LocalWarehouse) -> None:
    outcome = warehouse.dbt("source", "freshness", "--select", "source:raw.source_transactions")
    assert not outcome.success
    assert "ERROR STALE freshness of raw.source_transactions" in outcome.output


def test_a_value_that_was_never_sent_stops_the_build(warehouse: LocalWarehouse) -> None:
    """Comes last: this change stays in RAW."""
    last = warehouse.query("select max(_cdc_offset), max(lsn) from BANK.RAW.SOURCE_TRANSACTIONS")[0]
    collections = '[{"data_collection": "public.customers", "event_count": 1}]'
    end = ("END", 9999, last[1] + 9, 1, collections, h.START, last[0] + 2, 0)
    warehouse.insert("SOURCE_TRANSACTIONS", END_COLUMNS, [end])
    row = (777, None, "Byron", "777@example.com", h.START, "u", "false", last[1] + 5, 9999, 1, h.START, 0, 10**6)
    columns = (*h.COLUMNS["customers"], *h.CDC, "_cdc_unavailable")
    warehouse.insert("CUSTOMERS", columns, [(*row, '["first_name"]')])
    outcome = warehouse.dbt("run", "--select", "int_watermark", "int_customers_changes")
    assert not outcome.success
    assert "int_customers_changes: a column of key 777 was never sent" in outcome.output
    assert warehouse.query("select count(*) from BANK.MARTS.DIM_CUSTOMERS where customer_id = 777") == [(0,)]
