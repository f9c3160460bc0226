import pyarrow as pa
import pytest

from bank_common.arrow import change_schema
from bank_common.avro import Column, Kind, UnsupportedSchemaError, Wire, columns_of, record_columns

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
        Column("id", Kind.INT32),
        Column("email", Kind.STRING),
        Column("balance", Kind.DECIMAL, precision=18, scale=2),
        Column("created_at", Kind.INSTANT, Wire.ISO),
        Column("born", Kind.DATE),
        Column("seen", Kind.TIMESTAMP, Wire.MICROS),
    )


def test_the_arrow_schema_is_exact_and_nullable() -> None:
    schema = change_schema(columns_of(ENVELOPE))
    assert schema.field("balance").type == pa.decimal128(18, 2)
    assert schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("born").type == pa.date32()
    assert all(field.nullable for field in schema)
    assert schema.names[6:] == list(change_schema(()).names)


@pytest.mark.parametrize(
    ("field_type", "named"),
    [
        ({"type": "long", "connect.name": "io.debezium.time.NanoTimestamp"}, "NanoTimestamp"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 2}, "60"),
        ({"type": "record", "name": "VariableScaleDecimal", "fields": []}, "record"),
        (["null", "int", "string"], "union of 2"),
        ({"type": "array", "items": "string"}, "array"),
    ],
)
def test_a_type_without_an_exact_form_is_an_error_that_names_it(field_type: object, named: str) -> None:
    with pytest.raises(UnsupportedSchemaError, match=named):
        record_columns({"type": "record", "name": "Value", "fields": [{"name": "c", "type": field_type}]})


def test_a_schema_that_is_no_envelope_is_an_error() -> None:
    with pytest.raises(UnsupportedSchemaError, match="envelope"):
        columns_of(ROW)
