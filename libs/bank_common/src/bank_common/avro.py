"""A topic's Avro schema -> its typed columns. Pure: reads the schema's JSON, needs no Avro library.

Types follow Debezium's schema names (`connect.name`), see "Temporal types" and "Decimal types" in the documentation
of its PostgreSQL connector. A type that is not listed here is an error, never a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, cast

AvroSchema = Mapping[str, Any]


class Kind(Enum):
    """The logical type of a column, whatever carries it on the wire."""

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


class Wire(Enum):
    """How the value travels where that differs from the kind."""

    PLAIN = "plain"
    MILLIS = "millis"
    MICROS = "micros"
    ISO = "iso"


@dataclass(frozen=True, slots=True)
class Column:
    """One business column: its name at the source, its kind, and precision and scale for decimals."""

    name: str
    kind: Kind
    wire: Wire = Wire.PLAIN
    precision: int = 0
    scale: int = 0


class UnsupportedSchemaError(ValueError):
    """The schema holds a type or a shape that the pipeline can't carry exactly; the message names it."""


_PRIMITIVE: Final = {
    "boolean": Kind.BOOLEAN,
    "int": Kind.INT32,
    "long": Kind.INT64,
    "float": Kind.FLOAT32,
    "double": Kind.FLOAT64,
    "string": Kind.STRING,
    "bytes": Kind.BYTES,
}
_CONNECT: Final = {
    "io.debezium.time.Date": (Kind.DATE, Wire.PLAIN),
    "io.debezium.time.Time": (Kind.TIME, Wire.MILLIS),
    "io.debezium.time.MicroTime": (Kind.TIME, Wire.MICROS),
    "io.debezium.time.Timestamp": (Kind.TIMESTAMP, Wire.MILLIS),
    "io.debezium.time.MicroTimestamp": (Kind.TIMESTAMP, Wire.MICROS),
    "io.debezium.time.ZonedTimestamp": (Kind.INSTANT, Wire.ISO),
    "io.debezium.data.Uuid": (Kind.STRING, Wire.PLAIN),
    "io.debezium.data.Json": (Kind.STRING, Wire.PLAIN),
    "io.debezium.data.Enum": (Kind.STRING, Wire.PLAIN),
    "io.debezium.data.Xml": (Kind.STRING, Wire.PLAIN),
}
MAX_PRECISION: Final = 38


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
            return record_columns(row)
    raise UnsupportedSchemaError("the schema is not a change event's envelope: it has no 'after' record")


def record_columns(record: AvroSchema) -> tuple[Column, ...]:
    """The typed columns of one Avro record: a key's, or a row's.

    Raises:
        UnsupportedSchemaError: a field's type has no exact form here.
    """
    return tuple(_column(field["name"], _non_null(field["type"])) for field in record["fields"])


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
    found = _non_null(schema)
    if isinstance(found, str):
        return named.get(found) or named.get(found.rpartition(".")[2])
    return cast("AvroSchema | None", found)


def _collect_named(schema: Any, named: dict[str, AvroSchema]) -> None:
    if isinstance(schema, list):
        for member in cast("list[Any]", schema):
            _collect_named(member, named)
    elif isinstance(schema, Mapping):
        found = cast("AvroSchema", schema)
        if found.get("type") == "record":
            named[found["name"]] = found
            if "namespace" in found:
                named[f"{found['namespace']}.{found['name']}"] = found
            for field in found["fields"]:
                _collect_named(field["type"], named)


def _column(name: str, schema: Any) -> Column:
    if isinstance(schema, str):
        if schema not in _PRIMITIVE:
            raise UnsupportedSchemaError(f"column {name!r} has the type {schema!r}")
        return Column(name, _PRIMITIVE[schema])
    if not isinstance(schema, Mapping):
        raise UnsupportedSchemaError(f"column {name!r} has no type")
    found = cast("AvroSchema", schema)
    if found.get("logicalType") == "decimal" or found.get("connect.name") == "org.apache.kafka.connect.data.Decimal":
        return _decimal(name, found)
    connect_name = found.get("connect.name")
    if connect_name in _CONNECT:
        kind, wire = _CONNECT[connect_name]
        return Column(name, kind, wire)
    if connect_name is not None or found.get("logicalType") is not None or found.get("type") not in _PRIMITIVE:
        raise UnsupportedSchemaError(f"column {name!r} has the type {connect_name or found.get('type')!r}")
    return Column(name, _PRIMITIVE[found["type"]])


def _decimal(name: str, schema: AvroSchema) -> Column:
    parameters: Mapping[str, str] = schema.get("connect.parameters", {})
    precision = schema.get("precision", parameters.get("connect.decimal.precision"))
    scale = schema.get("scale", parameters.get("scale", 0))
    if precision is None or not 1 <= int(precision) <= MAX_PRECISION:
        raise UnsupportedSchemaError(f"column {name!r} is a decimal of precision {precision}, at most {MAX_PRECISION}")
    return Column(name, Kind.DECIMAL, precision=int(precision), scale=int(scale))
