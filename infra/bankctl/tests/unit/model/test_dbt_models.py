"""What the dbt project has for each captured table."""

from pathlib import Path

import pytest

from bankctl.model import platform_file
from bankctl.model.catalogue import SourceColumn, SourceTable
from bankctl.model.dbt_models import DbtModelError, render

PLATFORM = platform_file.load(Path(__file__).resolve().parents[5] / "infra" / "platform.toml").model_copy(
    update={"tables": (platform_file.TableEntry(name="glass", partitions=1, mart="dim_panes"),)}
)


def _table(*columns: str, key: tuple[str, ...]) -> SourceTable:
    return SourceTable("glass", tuple(SourceColumn(name, "integer") for name in columns), key)


def test_a_key_of_two_columns_tells_rows_apart_in_every_layer() -> None:
    files = render(PLATFORM, [_table("pane", "width", "frame_no", key=("frame_no", "pane"))])
    staged = files["models/staging/core_banking/stg_glass_changes.sql"]
    assert "source('core_banking', 'glass')" in staged
    assert "        landed.pane,\n        landed.width,\n        landed.frame_no,\n" in staged
    assert "partition by epochs.epoch, _cdc_lsn, landed.frame_no, landed.pane, _cdc_op" in staged
    changes = files["models/intermediate/core_banking/int_glass_changes.sql"]
    assert "key=['frame_no', 'pane'],\n    columns=['pane', 'width', 'frame_no']" in changes
    listed = files["macros/captured_tables.sql"]
    assert "'qualified_name': 'public.glass', 'key': ['frame_no', 'pane'], 'mart': 'dim_panes'" in listed


@pytest.mark.parametrize("name", ["operation", "commit_position", "run_of_pane"])
def test_a_column_that_history_has_as_well_is_refused_by_name(name: str) -> None:
    with pytest.raises(DbtModelError, match=rf"glass\.{name}"):
        render(PLATFORM, [_table("pane", name, key=("pane",))])
