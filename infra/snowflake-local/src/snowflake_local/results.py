"""Arrow results as Snowflake sends them; fakesnow turns NULL timestamps into 1970-01-01."""

# pyarrow makes the functions of its module compute at import.
# pyright: reportAttributeAccessIssue=false

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from fakesnow import arrow as fakesnow_arrow
from fakesnow import rowtype

_UTC_OFFSET: Final = 1440
"""Snowflake's encoding of a zone: minutes east of UTC plus 1440."""
_WHOLE: Final = ("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT", "UINTEGER", "UHUGEINT")
_OTHER_NAMES: Final = dict.fromkeys(_WHOLE, "BIGINT") | {
    "FLOAT": "DOUBLE",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    "DATE": "DATE",
}
_KNOWN: Final = frozenset(rowtype.duckdb_to_sf_type)
_ARROW_NAMES: Final = {
    "int64": "BIGINT",
    "int32": "INTEGER",
    "bool": "BOOLEAN",
    "double": "DOUBLE",
    "date32[day]": "DATE",
}


def supported(described: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """DESCRIBE's rows, every type one that upstream can send: lists and structs as text, small numbers as large."""
    return [(name, _sendable(kind), *rest) for name, kind, *rest in described]


def _sendable(kind: str) -> str:
    if kind in _KNOWN or (kind.startswith("DECIMAL") and not kind.endswith("]")):
        return kind
    return _OTHER_NAMES.get(kind, "VARCHAR")


def of_texts(names: Sequence[str], rows: Sequence[Sequence[object]]) -> pa.Table:
    """A result of text, without DuckDB."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    texts = [[None if value is None else str(value) for value in column] for column in columns]
    return pa.Table.from_arrays([pa.array(column, pa.string()) for column in texts], names=list(names))


def of_duckdb(description: list[Any] | None) -> list[tuple[Any, ...]]:
    """DESCRIBE's rows for the result that a DuckDB connection has at hand."""
    return [(name, str(kind), None, None, None, None) for name, kind, *_ in description or []]


def described(schema: pa.Schema) -> list[tuple[Any, ...]]:
    """Describe the columns of a statement that can't be described again, from its result."""
    return [(field.name, _duckdb_type(field.type), None, None, None, None) for field in schema]


def _duckdb_type(arrow: pa.DataType) -> str:
    if pa.types.is_decimal(arrow):
        return f"DECIMAL({arrow.precision},{arrow.scale})"
    if pa.types.is_timestamp(arrow):
        return "TIMESTAMP WITH TIME ZONE" if arrow.tz else "TIMESTAMP"
    return _ARROW_NAMES.get(str(arrow), "VARCHAR")


def to_snowflake(table: pa.Table, row_types: list) -> pa.Table:
    """Columns and schema as the connector decodes them."""
    columns = [_column(column) for column in table.columns]
    plain = pa.schema(
        [
            field.with_type(field.type if pa.types.is_timestamp(field.type) else column.type)
            for field, column in zip(table.schema, columns, strict=True)
        ]
    )
    described = fakesnow_arrow.to_sf_schema(plain, row_types)
    schema = pa.schema(
        [
            field.with_type(column.type) if pa.types.is_struct(column.type) else field
            for field, column in zip(described, columns, strict=True)
        ]
    )
    return pa.Table.from_arrays(columns, schema=schema)


def _column(column: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return _timestamp(column.combine_chunks())
    if pa.types.is_time(column.type):
        return pc.multiply(column.cast(pa.int64()), 1000)
    if pa.types.is_null(column.type):
        return column.cast(pa.string())
    if pa.types.is_float32(column.type):
        return column.cast(pa.float64())
    if pa.types.is_nested(column.type):
        return pa.array([None if value is None else json.dumps(value, default=str) for value in column.to_pylist()])
    if pa.types.is_interval(column.type) or pa.types.is_duration(column.type):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    if pa.types.is_unsigned_integer(column.type) or column.type in (pa.int8(), pa.int16()):
        return column.cast(pa.int64())
    return column


def _timestamp(values: pa.Array) -> pa.StructArray:
    """Epoch seconds, nanoseconds and, with a zone, its offset. A null is null in the struct *and* in its children:

    the connector looks at one or the other, depending on the type.
    """
    micros = values.cast(pa.timestamp("us", values.type.tz))
    null = pc.is_null(micros)
    filled = pc.fill_null(micros, pa.scalar(0, micros.type))
    seconds = pc.divide(pc.floor_temporal(filled, unit="second").cast(pa.int64()), 1_000_000)
    nanos = pc.round(pc.multiply(pc.subsecond(filled), 1_000_000_000)).cast(pa.int32())
    children: dict[str, pa.Array] = {"epoch": seconds, "fraction": nanos}
    if micros.type.tz:
        children["timezone"] = pa.array([_UTC_OFFSET] * len(micros), pa.int32())
    fields = [pa.field(name, child.type, nullable=True) for name, child in children.items()]
    arrays = [pc.if_else(null, pa.scalar(None, child.type), child) for child in children.values()]
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=null)
