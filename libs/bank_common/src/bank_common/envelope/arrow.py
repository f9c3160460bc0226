"""Typed columns -> Arrow types and the schemas of segments. Needs the `envelope` extra (pyarrow)."""

# Arrow has no types.
# pyright: standard

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from bank_common.envelope.avro import Column, ColumnType
from bank_common.landing import columns as c

INSTANT: Final = pa.timestamp("us", tz="UTC")

_TYPES: Final = {
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.INT32: pa.int32(),
    ColumnType.INT64: pa.int64(),
    ColumnType.FLOAT32: pa.float32(),
    ColumnType.FLOAT64: pa.float64(),
    ColumnType.STRING: pa.string(),
    ColumnType.BYTES: pa.binary(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIME: pa.time64("us"),
    ColumnType.TIMESTAMP: pa.timestamp("us"),
    ColumnType.INSTANT: INSTANT,
    ColumnType.VARIABLE_DECIMAL: pa.string(),
    ColumnType.ARRAY: pa.string(),
    ColumnType.MAP: pa.string(),
    ColumnType.STRUCT: pa.string(),
}
_RECORD: Final = {
    c.TOPIC: pa.string(),
    c.PARTITION: pa.int32(),
    c.OFFSET: pa.int64(),
    c.SCHEMA_ID: pa.int32(),
    c.SEGMENT: pa.string(),
}
_CDC: Final = {
    c.OP: pa.string(),
    c.SNAPSHOT: pa.string(),
    c.LSN: pa.int64(),
    c.TX_ID: pa.int64(),
    c.TX_ORDER: pa.int64(),
    c.SOURCE_TIME: INSTANT,
    c.UNAVAILABLE: pa.string(),
    c.NOT_REPRESENTABLE: pa.string(),
    **_RECORD,
}
_NUMBERS: Final = ("tx_id", "lsn", "event_count", "row_count")


def arrow_type(column: Column) -> pa.DataType:
    """The exact Arrow type of a column."""
    if column.type is ColumnType.DECIMAL:
        return pa.decimal128(column.precision, column.scale)
    return _TYPES[column.type]


def change_schema(columns: Iterable[Column]) -> pa.Schema:
    """The schema of a change table's segment: the table's columns, all nullable, then `CHANGE_COLUMNS`."""
    business = [pa.field(column.name, arrow_type(column)) for column in columns]
    return pa.schema([*business, *(pa.field(name, _CDC[name]) for name in c.CHANGE_COLUMNS)])


def _own_schema(names: Iterable[str]) -> pa.Schema:
    def own(name: str) -> pa.DataType:
        return _CDC.get(name) or (pa.int64() if name in _NUMBERS else pa.string())

    return pa.schema([pa.field(name, own(name)) for name in names])


TRANSACTION_SCHEMA: Final = _own_schema(c.TRANSACTION_COLUMNS)
NOTIFICATION_SCHEMA: Final = _own_schema(c.NOTIFICATION_COLUMNS)
