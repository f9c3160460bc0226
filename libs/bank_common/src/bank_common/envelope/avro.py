"""A topic's Avro schema -> its typed columns. Pure: reads the schema's JSON, needs no Avro library.

Types follow Debezium's schema names (`connect.name`), see "Temporal types" and "Decimal types" in the documentation
of its PostgreSQL connector. A type that is not listed here is an error, never a guess.

What has parts (arrays, maps, structs such as a geometry) is one column of JSON text, and so is a decimal without a
fixed scale one column of decimal text: a warehouse's exact types end there (libs/bank_common/adr/0001).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, cast

AvroSchema = Mapping[str, Any]


class ColumnType(Enum):
    """The logical type of a column, whatever its Avro type."""

    BOOLEAN = "boolean"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"
    BYTES = "bytes"
    DECIMAL = "decimal"
    DATE = "date"
    """Days since 1970-01-01."""
    TIME = "time"
    """Microseconds since midnight."""
    TIMESTAMP = "timestamp"
    """Microseconds since 1970-01-01, no zone."""
    INSTANT = "instant"
    """A point in time; Debezium sends it as an ISO 8601 string with a zone."""
    VARIABLE_DECIMAL = "variable decimal"
    """A decimal whose scale travels with each value; lands as plain decimal text."""
    ARRAY = "array"
    """JSON text; `items` is one column, the element."""
    MAP = "map"
    """JSON text; `items` is one column, the value."""
    STRUCT = "struct"
    """JSON text; `items` are the fields."""


class Wire(Enum):
    """The unit or form on the wire, where the logical type leaves that open."""

    PLAIN = "plain"
    MILLIS = "millis"
    MICROS = "micros"
    NANOS = "nanos"
    ISO = "iso"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Column:
    """One business column: its name at the source, its type, precision and scale for decimals, parts for the rest."""

    name: str
    type: ColumnType
    wire: Wire = Wire.PLAIN
    precision: int = 0
    scale: int = 0
    items: "tuple[Column, ...]" = ()


class UnsupportedSchemaError(ValueError):
    """The schema holds a type or a shape that the pipeline can't carry exactly; the message names it."""


_PRIMITIVE: Final = {
    "boolean": ColumnType.BOOLEAN,
    "int": ColumnType.INT32,
    "long": ColumnType.INT64,
    "float": ColumnType.FLOAT32,
    "double": ColumnType.FLOAT64,
    "string": ColumnType.STRING,
    "bytes": ColumnType.BYTES,
}
_TEXT: Final = (ColumnType.STRING, Wire.PLAIN)
_CONNECT: Final = {
    "io.debezium.time.Date": (ColumnType.DATE, Wire.PLAIN),
    "io.debezium.time.Time": (ColumnType.TIME, Wire.MILLIS),
    "io.debezium.time.MicroTime": (ColumnType.TIME, Wire.MICROS),
    "io.debezium.time.NanoTime": (ColumnType.TIME, Wire.NANOS),
    "io.debezium.time.Timestamp": (ColumnType.TIMESTAMP, Wire.MILLIS),
    "io.debezium.time.MicroTimestamp": (ColumnType.TIMESTAMP, Wire.MICROS),
    "io.debezium.time.NanoTimestamp": (ColumnType.TIMESTAMP, Wire.NANOS),
    "io.debezium.time.ZonedTimestamp": (ColumnType.INSTANT, Wire.ISO),
    # time.precision.mode=connect
    "org.apache.kafka.connect.data.Date": (ColumnType.DATE, Wire.PLAIN),
    "org.apache.kafka.connect.data.Time": (ColumnType.TIME, Wire.MILLIS),
    "org.apache.kafka.connect.data.Timestamp": (ColumnType.TIMESTAMP, Wire.MILLIS),
    # An interval: microseconds (months counted as 30.4375 days by Debezium), or ISO 8601 text.
    "io.debezium.time.MicroDuration": (ColumnType.INT64, Wire.PLAIN),
    "io.debezium.time.Interval": _TEXT,
    # Times with a zone, and time.precision.mode=isostring: as they come.
    "io.debezium.time.ZonedTime": _TEXT,
    "io.debezium.time.IsoDate": _TEXT,
    "io.debezium.time.IsoTime": _TEXT,
    "io.debezium.time.IsoTimestamp": _TEXT,
    "io.debezium.data.Uuid": _TEXT,
    "io.debezium.data.Json": _TEXT,
    "io.debezium.data.Enum": _TEXT,
    "io.debezium.data.Xml": _TEXT,
    "io.debezium.data.Ltree": _TEXT,
    "io.debezium.data.Tsvector": _TEXT,
    # bit(n): little-endian, as they come.
    "io.debezium.data.Bits": (ColumnType.BYTES, Wire.PLAIN),
}
_WIRE_TYPES: Final = {
    ColumnType.DATE: ("int",),
    ColumnType.TIME: ("int", "long"),
    ColumnType.TIMESTAMP: ("long",),
    ColumnType.INT64: ("long",),
    ColumnType.BYTES: ("bytes",),
}
"""The Avro types that carry a column type; strings carry the others."""
# decimal.handling.mode=string with datatype.propagate.source.type: the only form that knows what is no number.
_SOURCE_TYPE: Final = "__debezium.source.column.type"
_SOURCE_LENGTH: Final = "__debezium.source.column.length"
_SOURCE_SCALE: Final = "__debezium.source.column.scale"
_NO_PRECISION: Final = (0, 131_089)
"""The length of a numeric that says no precision (DBZ: VARIABLE_SCALE_DECIMAL_LENGTH)."""
_MONEY_SCALE: Final = 2
_STRUCTS: Final = {
    "io.debezium.data.geometry.Geometry": ColumnType.STRUCT,
    "io.debezium.data.geometry.Geography": ColumnType.STRUCT,
    "io.debezium.data.geometry.Point": ColumnType.STRUCT,
    "io.debezium.data.SparseDoubleVector": ColumnType.STRUCT,
    # The converter's form of a map whose keys are no text: an array of these.
    "io.confluent.connect.avro.MapEntry": ColumnType.STRUCT,
    "io.debezium.data.VariableScaleDecimal": ColumnType.VARIABLE_DECIMAL,
}
_ARRAYS: Final = frozenset({None, "io.debezium.data.FloatVector", "io.debezium.data.DoubleVector"})
MAX_PRECISION: Final = 38
_MAX_SCALE: Final = 1000
_CONVERTERS_DEFAULT_PRECISION: Final = 64  # what the Avro converter writes where Connect's schema says nothing


def columns_of(value_schema: AvroSchema) -> tuple[Column, ...]:
    """The table's columns, in the source's order, from the schema of a Debezium envelope (its `before` or `after`).

    Raises:
        UnsupportedSchemaError: not an envelope, or a column's type has no exact form here.
    """
    named: dict[str, AvroSchema] = {}
    _collect_named(value_schema, named)
    fields = _fields(value_schema)
    for name in ("before", "after"):
        row = _resolve(fields.get(name), named) if name in fields else None
        if row is not None and row.get("type") == "record":
            return _columns(row, named)
    raise UnsupportedSchemaError("the schema is not a change event's envelope: it has no 'after' record")


def record_columns(record: AvroSchema) -> tuple[Column, ...]:
    """The typed columns of one Avro record: a key's, or a row's.

    Raises:
        UnsupportedSchemaError: a field's type has no exact form here.
    """
    named: dict[str, AvroSchema] = {}
    _collect_named(record, named)
    return _columns(record, named)


def _columns(record: AvroSchema, named: Mapping[str, AvroSchema]) -> tuple[Column, ...]:
    return tuple(_column(field["name"], _non_null(field["type"]), named) for field in record["fields"])


def _fields(schema: AvroSchema) -> dict[str, Any]:
    return {field["name"]: field["type"] for field in schema.get("fields", ())}


def _non_null(schema: Any) -> Any:
    if not isinstance(schema, list):
        return schema
    members = [member for member in cast("list[Any]", schema) if member != "null"]
    if len(members) != 1:
        raise UnsupportedSchemaError(f"a union of {len(members)} types")
    return members[0]


def _resolve(schema: Any, named: Mapping[str, AvroSchema]) -> AvroSchema | None:
    resolved = _non_null(schema)
    if isinstance(resolved, str):
        return named.get(resolved) or named.get(resolved.rpartition(".")[2])
    return cast("AvroSchema | None", resolved)


def _collect_named(schema: Any, named: dict[str, AvroSchema]) -> None:
    if isinstance(schema, list):
        for member in cast("list[Any]", schema):
            _collect_named(member, named)
    elif isinstance(schema, Mapping):
        definition = cast("AvroSchema", schema)
        if definition.get("type") == "record":
            named[definition["name"]] = definition
            if "namespace" in definition:
                named[f"{definition['namespace']}.{definition['name']}"] = definition
            for field in definition["fields"]:
                _collect_named(field["type"], named)
        else:
            for inner in ("items", "values"):
                _collect_named(definition.get(inner), named)


def _column(name: str, schema: Any, named: Mapping[str, AvroSchema]) -> Column:
    if isinstance(schema, str):
        if schema in _PRIMITIVE:
            return Column(name, _PRIMITIVE[schema])
        if schema not in named:
            raise UnsupportedSchemaError(f"column {name!r} has the type {schema!r}")
        return _column(name, named[schema], named)
    if not isinstance(schema, Mapping):
        raise UnsupportedSchemaError(f"column {name!r} has no type")
    definition = cast("AvroSchema", schema)
    avro_type, connect_name = definition.get("type"), definition.get("connect.name")
    if definition.get("logicalType") == "decimal" or connect_name == "org.apache.kafka.connect.data.Decimal":
        return _decimal(name, definition)
    if avro_type == "array" and connect_name in _ARRAYS:
        return Column(name, ColumnType.ARRAY, items=(_column("item", _non_null(definition["items"]), named),))
    if avro_type == "map" and connect_name is None:
        return Column(name, ColumnType.MAP, items=(_column("value", _non_null(definition["values"]), named),))
    if avro_type == "record":
        return _struct(name, definition, named)
    if connect_name in _CONNECT:
        column_type, wire = _CONNECT[connect_name]
        if avro_type not in _WIRE_TYPES.get(column_type, ("string",)):
            raise UnsupportedSchemaError(f"column {name!r} has the type {connect_name!r} carried by {avro_type!r}")
        return Column(name, column_type, wire)
    source_type = str(definition.get("connect.parameters", {}).get(_SOURCE_TYPE, "")).upper()
    if connect_name is None and avro_type == "string" and source_type in ("NUMERIC", "MONEY"):
        return _decimal_text(name, source_type, definition["connect.parameters"])
    if connect_name is not None or definition.get("logicalType") is not None or avro_type not in _PRIMITIVE:
        raise UnsupportedSchemaError(f"column {name!r} has the type {connect_name or avro_type!r}")
    return Column(name, _PRIMITIVE[avro_type])


def _struct(name: str, record: AvroSchema, named: Mapping[str, AvroSchema]) -> Column:
    full_name = record.get("connect.name") or f"{record.get('namespace', '')}.{record.get('name')}".lstrip(".")
    column_type = _STRUCTS.get(full_name)
    if column_type is None:
        raise UnsupportedSchemaError(f"column {name!r} has the record type {full_name!r}")
    parts = _columns(record, named)
    if column_type is ColumnType.VARIABLE_DECIMAL:
        if {part.name: part.type for part in parts} != {"scale": ColumnType.INT32, "value": ColumnType.BYTES}:
            raise UnsupportedSchemaError(f"column {name!r} has a {full_name} without scale and value")
        return Column(name, column_type)
    return Column(name, column_type, items=parts)


def _decimal_text(name: str, source_type: str, parameters: Mapping[str, str]) -> Column:
    if source_type == "MONEY":
        return Column(name, ColumnType.DECIMAL, Wire.TEXT, MAX_PRECISION, _MONEY_SCALE)
    precision, scale = int(parameters.get(_SOURCE_LENGTH, 0)), int(parameters.get(_SOURCE_SCALE, 0))
    exact = None if precision in _NO_PRECISION else exact_decimal(precision, scale)
    if exact is None:
        return Column(name, ColumnType.VARIABLE_DECIMAL, Wire.TEXT)
    return Column(name, ColumnType.DECIMAL, Wire.TEXT, *exact)


def exact_decimal(precision: int, scale: int) -> tuple[int, int] | None:
    """Precision and scale of the decimal that holds every `numeric(precision, scale)`; None when there is none.

    A scale may be negative (whole hundreds) or above the precision (thousandths below one). Drivers read the eleven
    bits of a negative one as a number of 1,025 and more, beyond what the source allows.
    """
    scale = scale - 2048 if scale > _MAX_SCALE else scale
    digits = max(precision, scale, precision - scale)
    return (digits, max(scale, 0)) if digits <= MAX_PRECISION else None


def _decimal(name: str, schema: AvroSchema) -> Column:
    if schema.get("type") != "bytes":
        raise UnsupportedSchemaError(f"column {name!r} is a decimal carried by {schema.get('type')!r}")
    parameters: Mapping[str, str] = schema.get("connect.parameters", {})
    precision = parameters.get("connect.decimal.precision", schema.get("precision"))
    if schema.get("connect.name") is not None and precision in (None, _CONVERTERS_DEFAULT_PRECISION):
        # Connect's decimals need not say a precision (money); each value is checked, so that none is ever rounded.
        precision = MAX_PRECISION
    scale = schema.get("scale", parameters.get("scale", 0))
    if precision is None or not 1 <= int(precision) <= MAX_PRECISION:
        raise UnsupportedSchemaError(f"column {name!r} is a decimal of precision {precision}, at most {MAX_PRECISION}")
    return Column(name, ColumnType.DECIMAL, precision=int(precision), scale=int(scale))
