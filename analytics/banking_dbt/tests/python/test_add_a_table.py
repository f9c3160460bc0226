"""The recipe "Add a table" of CONTRIBUTING, played on a copy of the checkout: what is by hand, and its effect."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import history as h
from local_warehouse import ROOT, LocalWarehouse

BANK = ROOT / ".venv" / "bin" / "bank"
# The key is neither the first column nor called id, and the table's name is its own plural.
ROW = '[[tables]]\nname = "glass"\npartitions = 1\nmart = "dim_glass"\n\n[topics]'
ENTRY = {
    "key": ["pane_no", "house"],
    "columns": [
        {"name": "tint", "data_type": "character varying", "length": 20},
        {"name": "house", "data_type": "text"},
        {"name": "pane_no", "data_type": "smallint"},
    ],
}
BY_HAND = {
    "infra/platform.toml",
    "analytics/banking_dbt/models/marts/dim_glass.sql",
    "analytics/banking_dbt/models/marts/dim_glass.yml",
}
MART = """
select pane_no, house, tint, valid_from_position, valid_to_position, valid_from_order, is_current
from ({{ versions('int_glass_changes', ['pane_no', 'house'], ['pane_no', 'house', 'tint']) }})
"""
PROPERTIES = """
version: 2
models:
  - name: dim_glass
    description: One row per version of a pane.
    data_tests:
      - versions_do_not_overlap: {arguments: {key: [pane_no, house]}}
    columns:
      - {name: pane_no, data_type: "number(10,0)"}
      - {name: house, data_type: varchar}
      - {name: tint, data_type: "varchar(20)"}
      - {name: valid_from_position, data_type: "number(30,0)"}
      - {name: valid_to_position, data_type: "number(30,0)"}
      - {name: valid_from_order, data_type: "number(20,0)"}
      - {name: is_current, data_type: boolean}
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git knows of this checkout, with the recipe's files written and `bank render` run."""
    assert BANK.exists(), "make setup makes the workspace's environment"
    copy = tmp_path_factory.mktemp("checkout")
    known = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, known.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "t"],
    ):
        subprocess.run(["git", *command], cwd=copy, check=True)
    platform = copy / "infra" / "platform.toml"
    platform.write_text(platform.read_text().replace("[topics]", ROW, 1))
    marts = copy / "analytics" / "banking_dbt" / "models" / "marts"
    (marts / "dim_glass.sql").write_text(MART)
    (marts / "dim_glass.yml").write_text(PROPERTIES)
    # What `bank catalogue render` makes of the migration (a contract test of bankctl holds it against a database).
    catalogue = copy / "infra" / "warehouse" / "tables.json"
    catalogue.write_text(json.dumps(json.loads(catalogue.read_text()) | {"glass": ENTRY}))
    rendered = subprocess.run([str(BANK), "render"], cwd=copy, capture_output=True, text=True, check=False)
    assert rendered.returncode == 0, rendered.stdout + rendered.stderr
    return copy


@pytest.fixture(scope="module")
def warehouse(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWarehouse]:
    running = LocalWarehouse(tmp_path_factory.mktemp("warehouse"), checkout)
    yield running
    running.close()


def test_by_hand_are_the_row_and_the_mart_beside_the_migration(checkout: Path) -> None:
    changed = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=checkout, capture_output=True, text=True, check=True
    )
    files = {line[3:] for line in changed.stdout.splitlines()}
    assert files >= BY_HAND
    rendered = files - BY_HAND - {"infra/warehouse/tables.json"}
    assert "analytics/banking_dbt/models/staging/core_banking/stg_glass_changes.sql" in rendered
    for name in rendered - {"infra/kafka/connector.json"}:  # JSON has no comments
        assert "Rendered" in (checkout / name).read_text().partition("\n")[0], f"{name} was written by no renderer"
    assert "public.glass" in (checkout / "infra" / "kafka" / "connector.json").read_text()


def test_its_rows_reach_the_mart(warehouse: LocalWarehouse) -> None:
    counted = [{"data_collection": "public.glass", "event_count": n} for n in (3, 1)]
    ends = [
        ("END", 7, 200, 3, json.dumps(counted[:1]), h.START, 0, 0),
        ("END", 8, 300, 1, json.dumps(counted[1:]), h.START + timedelta(seconds=1), 1, 0),
    ]
    columns = (
        "status",
        "tx_id",
        "lsn",
        "event_count",
        "collections",
        "_cdc_source_time",
        "_cdc_offset",
        "_cdc_partition",
    )
    warehouse.insert("SOURCE_TRANSACTIONS", columns, ends)
    # One statement wrote three rows at one LSN: their keys differ in one column or the other.
    changes = [
        ("red", "oak", 1, "c", "false", 150, 7, 1, h.START, 0, 0),
        ("blue", "oak", 2, "c", "false", 150, 7, 2, h.START, 0, 1),
        ("grey", "elm", 1, "c", "false", 150, 7, 3, h.START, 0, 2),
        (None, "oak", 1, "d", "false", 250, 8, 1, h.START + timedelta(seconds=1), 0, 3),
    ]
    warehouse.insert("GLASS", ("tint", "house", "pane_no", *h.CDC), changes)
    notifications = [
        ("STARTED", None, None),
        *(("TABLE_SCAN_COMPLETED", f"public.{table}", 0) for table in (*h.TABLES, "glass")),
        ("COMPLETED", None, None),
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
    rows = [(f"n{i}", "Initial Snapshot", *kind, h.START, i, 0) for i, kind in enumerate(notifications)]
    warehouse.insert("SOURCE_NOTIFICATIONS", columns, rows)

    outcome = warehouse.dbt("build")  # unit tests too: those of the project must not know the tables
    assert outcome.success, outcome.output[-4000:]
    mart = "select pane_no, house, tint, valid_from_position, valid_to_position, is_current from BANK.MARTS.DIM_GLASS"
    first, second = 10**19 + 200, 10**19 + 300
    assert warehouse.query(f"{mart} order by 1, 2") == [
        (1, "elm", "grey", first, None, True),
        (1, "oak", "red", first, second, False),
        (2, "oak", "blue", first, None, True),
    ]
    assert warehouse.query("select commit_position from BANK.MARTS.PIPELINE_WATERMARK") == [(second,)]
