"""Arrow results as Snowflake sends them; fakesnow turns NULL timestamps into 1970-01-01."""

# pyarrow makes the functions of its module compute at import.
# pyright: reportAttributeAccessIssue=false

import json
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from fakesnow import arrow as fakesnow_arrow
from fakesnow.rowtype import ColumnInfo

_UTC_OFFSET: Final = 1440
"""Snowflake's encoding of a zone: minutes east of UTC plus 1440."""


def to_snowflake(table: pa.Table, row_types: list[ColumnInfo]) -> pa.Table:
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
