"""Every column that the consumer can land has a type in RAW that holds it: the source's catalogue against real records.

The golden records are of one table with a column of each type that the connector carries.
"""

import base64
import json
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from bank_common.envelope.arrow import arrow_type
from bank_common.envelope.avro import columns_of
from bankctl.model.raw_ddl import column_type
from bankctl.provision import catalogue
from bankctl.stack.stack import Stack

pytestmark = pytest.mark.contract

HOLDS = {
    pa.bool_(): "BOOLEAN",
    pa.int32(): "NUMBER(10,0)",
    pa.int64(): "NUMBER(20,0)",
    pa.float32(): "FLOAT",
    pa.float64(): "FLOAT",
    pa.binary(): "BINARY",
    pa.date32(): "DATE",
    pa.time64("us"): "TIME(6)",
    pa.timestamp("us"): "TIMESTAMP_NTZ(6)",
    pa.timestamp("us", "UTC"): "TIMESTAMP_TZ(6)",
}


@pytest.fixture
def golden(stack: Stack) -> Path:
    return stack.root / "libs" / "bank_common" / "tests" / "golden"


def landed(golden: Path) -> dict[str, pa.DataType]:
    """The Arrow type of each column in the golden records."""
    document: dict[str, Any] = json.loads((golden / "records.json").read_text(encoding="utf-8"))
    value = next(record["value"] for record in document["records"] if record["kind"] == "changes" and record["value"])
    schema = document["schemas"][str(int.from_bytes(base64.b64decode(value)[1:5], "big"))]
    return {column.name: arrow_type(column) for column in columns_of(schema)}


def test_each_type_that_lands_has_a_place_in_raw(bank: str, golden: Path) -> None:
    with psycopg.connect(bank, autocommit=True) as database:
        database.execute((golden / "zoo.sql").read_bytes())
    (zoo,) = catalogue.read(bank, "public", ["zoo"])
    source = {column.name: column for column in zoo.columns}
    types = landed(golden)
    assert source.keys() == types.keys()
    assert set(HOLDS) <= set(types.values())
    for name, landing in types.items():
        raw = column_type("zoo", source[name])
        if pa.types.is_decimal(landing):
            assert raw == f"NUMBER({landing.precision},{landing.scale})", name
        elif pa.types.is_string(landing):
            assert raw.startswith("VARCHAR"), name
        else:
            assert raw == HOLDS[landing], name
