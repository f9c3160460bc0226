"""Source types and their places in RAW."""

import pytest

from bankctl.model.catalogue import SourceColumn, SourceTable
from bankctl.model.raw_ddl import RawDdlError, column_type, render


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (SourceColumn("a", "integer"), "NUMBER(10,0)"),
        (SourceColumn("a", "bigint"), "NUMBER(20,0)"),
        (SourceColumn("a", "numeric", precision=18, scale=2), "NUMBER(18,2)"),
        (SourceColumn("a", "numeric", precision=38, scale=0), "NUMBER(38,0)"),
        (SourceColumn("a", "character varying", length=255), "VARCHAR(255)"),
        (SourceColumn("a", "character varying"), "VARCHAR"),
        (SourceColumn("a", "character", length=3), "VARCHAR(3)"),
        (SourceColumn("a", "timestamp with time zone"), "TIMESTAMP_TZ(6)"),
        (SourceColumn("a", "timestamp without time zone"), "TIMESTAMP_NTZ(6)"),
        (SourceColumn("a", "enum"), "VARCHAR"),
        (SourceColumn("a", "numeric"), "VARCHAR"),
        (SourceColumn("a", "numeric", precision=39, scale=0), "VARCHAR"),
        (SourceColumn("a", "numeric", precision=5, scale=-2), "NUMBER(7,0)"),
        (SourceColumn("a", "numeric", precision=2, scale=5), "NUMBER(5,5)"),
        (SourceColumn("a", "money"), "NUMBER(38,2)"),
        (SourceColumn("a", "interval"), "NUMBER(20,0)"),
        (SourceColumn("a", "ARRAY"), "VARCHAR"),
        (SourceColumn("a", "bit", length=1), "BOOLEAN"),
        (SourceColumn("a", "bit", length=9), "BINARY"),
        (SourceColumn("a", "bytea"), "BINARY"),
        (SourceColumn("a", "time without time zone"), "TIME(6)"),
        (SourceColumn("a", "time with time zone"), "VARCHAR"),
    ],
)
def test_each_type_has_one_that_holds_all_its_values(column: SourceColumn, expected: str) -> None:
    assert column_type("t", column) == expected


@pytest.mark.parametrize(
    "column",
    [
        SourceColumn("a", "USER-DEFINED"),
        SourceColumn("order", "integer"),
        SourceColumn("Mixed", "integer"),
        SourceColumn("_cdc_lsn", "bigint"),
    ],
)
def test_what_has_no_exact_place_is_refused_by_name(column: SourceColumn) -> None:
    with pytest.raises(RawDdlError, match=rf"t\.{column.name}"):
        column_type("t", column)


def test_a_table_gets_its_columns_then_those_of_the_segment() -> None:
    columns = (SourceColumn("id", "integer"), SourceColumn("city", "character varying", 80))
    files = render([SourceTable("branches", columns, ("id",))])
    text = files["branches.sql"]
    assert "CREATE TABLE IF NOT EXISTS RAW.BRANCHES (\n   ID NUMBER(10,0),\n   CITY VARCHAR(80),\n   _CDC_OP" in text
    assert text.index("_CDC_OP") < text.index("_CDC_SEGMENT")
    assert "ALTER TABLE RAW.BRANCHES ADD COLUMN IF NOT EXISTS CITY VARCHAR(80);" in text
    assert "NOT NULL" not in text
    assert set(files) == {"branches.sql", "source_transactions.sql", "source_notifications.sql"}
