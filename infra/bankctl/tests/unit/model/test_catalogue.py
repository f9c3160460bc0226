"""The catalogue as a file."""

from pathlib import Path

import pytest

from bankctl.model.catalogue import CatalogueError, SourceColumn, SourceTable, dumps, load

SLOTS = SourceTable(
    "vault_slot",
    (
        SourceColumn("fee", "numeric", precision=18, scale=2),
        SourceColumn("vault_no", "integer"),
        SourceColumn("label", "character varying", length=20),
        SourceColumn("slot_code", "text"),
    ),
    ("slot_code", "vault_no"),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tables.json"
    path.write_text(dumps([SourceTable("other", (SourceColumn("id", "bigint"),), ("id",)), SLOTS]))
    assert load(path, ["vault_slot"]) == (SLOTS,)
    assert SLOTS.values == ("fee", "label")


def test_a_table_that_was_not_rendered_yet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tables.json"
    path.write_text(dumps([SLOTS]))
    with pytest.raises(CatalogueError, match="has no table branches") as error:
        load(path, ["vault_slot", "branches"])
    assert "bank catalogue render" in str(error.value.advice)


@pytest.mark.parametrize("text", ["{", "[]", '{"t": {"columns": []}}', '{"t": {"key": [], "columns": [{"nam": "x"}]}}'])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tables.json"
    path.write_text(text)
    with pytest.raises(CatalogueError, match="can't be read as the catalogue"):
        load(path, ["t"])
