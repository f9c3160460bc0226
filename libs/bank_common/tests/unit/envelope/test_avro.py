import pyarrow as pa
import pytest

from bank_common.envelope.arrow import change_schema
from bank_common.envelope.avro import Column, ColumnType, UnsupportedSchemaError, Wire, columns_of, record_columns

ROW = {
    "type": "record",
    "name": "Value",
    "fields": [
        {"name": "id", "type": {"type": "int", "connect.default": 0}},
        {"name": "email", "type": ["null", "string"]},
        {
            "name": "balance",
            "type": {
                "type": "bytes",
                "scale": 2,
                "precision": 18,
                "connect.name": "org.apache.kafka.connect.data.Decimal",
                "connect.parameters": {"scale": "2", "connect.decimal.precision": "18"},
                "logicalType": "decimal",
            },
        },
        {
            "name": "created_at",
            "type": ["null", {"type": "string", "connect.name": "io.debezium.time.ZonedTimestamp"}],
        },
        {"name": "born", "type": ["null", {"type": "int", "connect.name": "io.debezium.time.Date"}]},
        {"name": "seen", "type": ["null", {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}]},
    ],
}
ENVELOPE = {
    "type": "record",
    "name": "Envelope",
    "namespace": "bank.public.accounts",
    "fields": [
        {"name": "before", "type": ["null", ROW]},
        {"name": "after", "type": ["null", "Value"]},
        {"name": "op", "type": "string"},
    ],
}


def test_columns_come_from_the_schema_in_its_order() -> None:
    assert columns_of(ENVELOPE) == (
        Column("id", ColumnType.INT32),
        Column("email", ColumnType.STRING),
        Column("balance", ColumnType.DECIMAL, precision=18, scale=2),
        Column("created_at", ColumnType.INSTANT, Wire.ISO),
        Column("born", ColumnType.DATE),
        Column("seen", ColumnType.TIMESTAMP, Wire.MICROS),
    )


@pytest.mark.parametrize(
    ("length", "scale", "column"),
    [
        (18, 2, Column("n", ColumnType.DECIMAL, Wire.TEXT, 18, 2)),
        (5, -2, Column("n", ColumnType.DECIMAL, Wire.TEXT, 7, 0)),
        (5, 2046, Column("n", ColumnType.DECIMAL, Wire.TEXT, 7, 0)),
        (2, 5, Column("n", ColumnType.DECIMAL, Wire.TEXT, 5, 5)),
        (38, 10, Column("n", ColumnType.DECIMAL, Wire.TEXT, 38, 10)),
        (39, 0, Column("n", ColumnType.VARIABLE_DECIMAL, Wire.TEXT)),
        (0, 0, Column("n", ColumnType.VARIABLE_DECIMAL, Wire.TEXT)),
        (131_089, 0, Column("n", ColumnType.VARIABLE_DECIMAL, Wire.TEXT)),
    ],
)
def test_a_decimal_as_text_has_the_source_s_digits(length: int, scale: int, column: Column) -> None:
    kind = {"type": "NUMERIC", "length": str(length), "scale": str(scale)}
    parameters = {f"__debezium.source.column.{name}": value for name, value in kind.items()}
    record = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "n", "type": ["null", {"type": "string", "connect.parameters": parameters}]}],
    }
    assert record_columns(record) == (column,)


def test_the_arrow_schema_is_exact_and_nullable() -> None:
    schema = change_schema(columns_of(ENVELOPE))
    assert schema.field("balance").type == pa.decimal128(18, 2)
    assert schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("born").type == pa.date32()
    assert all(field.nullable for field in schema)
    assert schema.names[6:] == list(change_schema(()).names)


VARIABLE = {
    "type": "record",
    "name": "VariableScaleDecimal",
    "namespace": "io.debezium.data",
    "fields": [{"name": "scale", "type": "int"}, {"name": "value", "type": "bytes"}],
    "connect.name": "io.debezium.data.VariableScaleDecimal",
}
POINT = {
    "type": "record",
    "name": "Point",
    "namespace": "io.debezium.data.geometry",
    "fields": [
        {"name": "x", "type": "double"},
        {"name": "y", "type": "double"},
        {"name": "wkb", "type": ["null", "bytes"]},
        {"name": "srid", "type": ["null", "int"]},
    ],
    "connect.name": "io.debezium.data.geometry.Point",
}


def named_long(name: str) -> dict[str, str]:
    return {"type": "long", "connect.name": name}


def named_text(name: str) -> dict[str, str]:
    return {"type": "string", "connect.name": name}


@pytest.mark.parametrize(
    ("field_type", "column", "arrow"),
    [
        (VARIABLE, Column("c", ColumnType.VARIABLE_DECIMAL), pa.string()),
        (named_long("io.debezium.time.NanoTime"), Column("c", ColumnType.TIME, Wire.NANOS), pa.time64("us")),
        (
            named_long("io.debezium.time.NanoTimestamp"),
            Column("c", ColumnType.TIMESTAMP, Wire.NANOS),
            pa.timestamp("us"),
        ),
        (named_long("io.debezium.time.MicroDuration"), Column("c", ColumnType.INT64), pa.int64()),
        (
            {
                "type": "long",
                "logicalType": "timestamp-millis",
                "connect.name": "org.apache.kafka.connect.data.Timestamp",
            },
            Column("c", ColumnType.TIMESTAMP, Wire.MILLIS),
            pa.timestamp("us"),
        ),
        (named_text("io.debezium.time.Interval"), Column("c", ColumnType.STRING), pa.string()),
        (named_text("io.debezium.time.ZonedTime"), Column("c", ColumnType.STRING), pa.string()),
        (
            {
                "type": "bytes",
                "scale": 2,
                "precision": 64,
                "connect.parameters": {"scale": "2"},
                "connect.name": "org.apache.kafka.connect.data.Decimal",
                "logicalType": "decimal",
            },
            Column("c", ColumnType.DECIMAL, precision=38, scale=2),
            pa.decimal128(38, 2),
        ),
        (named_text("io.debezium.data.Ltree"), Column("c", ColumnType.STRING), pa.string()),
        (
            {"type": "bytes", "connect.name": "io.debezium.data.Bits", "connect.parameters": {"length": "9"}},
            Column("c", ColumnType.BYTES),
            pa.binary(),
        ),
        (
            {"type": "array", "items": ["null", "int"]},
            Column("c", ColumnType.ARRAY, items=(Column("item", ColumnType.INT32),)),
            pa.string(),
        ),
        (
            {"type": "array", "items": VARIABLE},
            Column("c", ColumnType.ARRAY, items=(Column("item", ColumnType.VARIABLE_DECIMAL),)),
            pa.string(),
        ),
        (
            {"type": "map", "values": ["null", "string"]},
            Column("c", ColumnType.MAP, items=(Column("value", ColumnType.STRING),)),
            pa.string(),
        ),
        (
            POINT,
            Column(
                "c",
                ColumnType.STRUCT,
                items=(
                    Column("x", ColumnType.FLOAT64),
                    Column("y", ColumnType.FLOAT64),
                    Column("wkb", ColumnType.BYTES),
                    Column("srid", ColumnType.INT32),
                ),
            ),
            pa.string(),
        ),
    ],
)
def test_every_type_of_the_connector_has_its_column(field_type: object, column: Column, arrow: pa.DataType) -> None:
    row = {"type": "record", "name": "Value", "fields": [{"name": "c", "type": ["null", field_type]}]}
    assert record_columns(row) == (column,)
    assert change_schema(record_columns(row)).field("c").type == arrow


def test_a_named_type_may_be_used_again() -> None:
    row = {
        "type": "record",
        "name": "Value",
        "fields": [
            {"name": "a", "type": POINT},
            {"name": "b", "type": ["null", "io.debezium.data.geometry.Point"]},
            {"name": "c", "type": {"type": "array", "items": "io.debezium.data.geometry.Point"}},
        ],
    }
    first, second, third = record_columns(row)
    assert first.items == second.items
    assert third.items[0].items == first.items


@pytest.mark.parametrize(
    ("field_type", "named"),
    [
        ({"type": "long", "connect.name": "io.debezium.time.Year"}, "Year"),
        ({"type": "string", "connect.name": "io.debezium.time.Date"}, "carried by 'string'"),
        ({"type": "long", "logicalType": "timestamp-nanos"}, "long"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 2}, "60"),
        ({"type": "record", "name": "Money", "namespace": "bank", "fields": []}, "bank.Money"),
        ({"type": "record", "name": "VariableScaleDecimal", "namespace": "io.debezium.data", "fields": []}, "scale"),
        (["null", "int", "string"], "union of 2"),
        ({"type": "array", "items": {"type": "int", "connect.name": "io.debezium.time.Year"}}, "Year"),
        ({"type": "array", "items": "int", "connect.name": "io.example.Set"}, "Set"),
        ({"type": "fixed", "name": "f", "size": 3}, "fixed"),
        ("bank.Unknown", "Unknown"),
    ],
)
def test_a_type_without_an_exact_form_is_an_error_that_names_it(field_type: object, named: str) -> None:
    with pytest.raises(UnsupportedSchemaError, match=named):
        record_columns({"type": "record", "name": "Value", "fields": [{"name": "c", "type": field_type}]})


def test_a_schema_that_is_no_envelope_is_an_error() -> None:
    with pytest.raises(UnsupportedSchemaError, match="envelope"):
        columns_of(ROW)
