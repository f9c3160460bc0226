"""Each type of the connector as it stands in a row: exact, or rejected with a reason."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from envelope_testing.debezium import DECIMAL, INSTANT, MONEY_TEXT, avro, change, envelope
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_common.envelope.decoding import decoder_for
from bank_common.envelope.events import ChangeEvent, DecodeError, DecodeErrorReason
from bank_common.envelope.topic_kind import TopicKind

PLACEHOLDER = "__debezium_unavailable_value"
VARIABLE: dict[str, Any] = {
    "type": "record",
    "name": "VariableScaleDecimal",
    "namespace": "io.debezium.data",
    "fields": [{"name": "scale", "type": "int"}, {"name": "value", "type": "bytes"}],
    "connect.name": "io.debezium.data.VariableScaleDecimal",
}
GEOMETRY: dict[str, Any] = {
    "type": "record",
    "name": "Geometry",
    "namespace": "io.debezium.data.geometry",
    "fields": [{"name": "wkb", "type": "bytes"}, {"name": "srid", "type": ["null", "int"]}],
    "connect.name": "io.debezium.data.geometry.Geometry",
}


def named(avro_type: str, name: str) -> dict[str, str]:
    return {"type": avro_type, "connect.name": name}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": ["null", items]}


def decode(field_type: Any, value: Any) -> ChangeEvent | DecodeError:
    schema = envelope([{"name": "c", "type": ["null", field_type]}])
    decoder = decoder_for(TopicKind.CHANGES, json.dumps(schema))
    assert not isinstance(decoder, DecodeError), decoder
    decoded = decoder.decode(avro(schema, change("u", {"c": value})), None)
    assert isinstance(decoded, ChangeEvent | DecodeError)
    return decoded


def value_of(field_type: Any, value: Any) -> Any:
    decoded = decode(field_type, value)
    assert isinstance(decoded, ChangeEvent), decoded
    return decoded.values[0]


NANO_TIME = named("long", "io.debezium.time.NanoTime")
NANO_TIMESTAMP = named("long", "io.debezium.time.NanoTimestamp")
MICRO_TIMESTAMP = named("long", "io.debezium.time.MicroTimestamp")
MICRO_TIME = named("long", "io.debezium.time.MicroTime")
DATE = named("int", "io.debezium.time.Date")


def numeric_text(length: int, scale: int) -> dict[str, Any]:
    sizes = {"__debezium.source.column.length": str(length), "__debezium.source.column.scale": str(scale)}
    return {**MONEY_TEXT, "connect.parameters": {**MONEY_TEXT["connect.parameters"], **sizes}}


@pytest.mark.parametrize(
    ("field_type", "sent", "landed"),
    [
        (NANO_TIME, 1_000, 1),
        (NANO_TIMESTAMP, -1_000, -1),
        (named("long", "io.debezium.time.MicroDuration"), -5, -5),
        (named("string", "io.debezium.time.Interval"), "P1Y2M3DT4H5M6.789S", "P1Y2M3DT4H5M6.789S"),
        (named("string", "io.debezium.time.ZonedTime"), "10:00:00.5Z", "10:00:00.5Z"),
        (named("bytes", "io.debezium.data.Bits"), b"\x05\x01", b"\x05\x01"),
        ("double", float("inf"), float("inf")),
        (array("int"), [1, None, -3], "[1,null,-3]"),
        (array("string"), ["ä", 'a"b'], '["ä","a\\"b"]'),
        (array("double"), [float("nan"), float("inf"), -float("inf"), 0.5], '["NaN","Infinity","-Infinity",0.5]'),
        (array("bytes"), [b"\x00\xff"], '["AP8="]'),
        (array(DECIMAL), [Decimal("-12.30")], '["-12.30"]'),
        (array(VARIABLE), [{"scale": 3, "value": b"\x01"}], '["0.001"]'),
        (array(DATE), [0], '["1970-01-01"]'),
        (array(named("long", "io.debezium.time.MicroTime")), [1_500_000], '["00:00:01.500000"]'),
        (array(MICRO_TIMESTAMP), [1_500_000], '["1970-01-01T00:00:01.500000"]'),
        (array(INSTANT), ["1970-01-01T01:00:00+01:00"], '["1970-01-01T00:00:00Z"]'),
        (array(array("int")), [[1], None, []], "[[1],null,[]]"),
        ({"type": "map", "values": ["null", "string"]}, {"b": None, "a": "x"}, '{"b":null,"a":"x"}'),
        (GEOMETRY, {"wkb": b"\x01", "srid": 4326}, '{"wkb":"AQ==","srid":4326}'),
        (array("string"), [], "[]"),
        (array(DATE), [10**7, 2146033979, 0], '["29349-01-26","infinity","1970-01-01"]'),
        (array(INSTANT), ["-infinity"], '["-infinity"]'),
    ],
)
def test_a_value_lands_exactly(field_type: Any, sent: Any, landed: Any) -> None:
    assert value_of(field_type, sent) == landed


def test_a_float_that_is_no_number_stays_one() -> None:
    decoded = value_of("double", float("nan"))
    assert decoded != decoded


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=None, min_value=-(10**30), max_value=10**30))
def test_a_decimal_of_any_scale_is_its_plain_text(number: Decimal) -> None:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    unscaled = int("".join(map(str, digits))) * (-1 if sign else 1)
    wire = {"scale": -exponent, "value": unscaled.to_bytes(unscaled.bit_length() // 8 + 1, "big", signed=True)}
    landed = value_of(VARIABLE, wire)
    assert "E" not in landed
    assert Decimal(landed) == number


@pytest.mark.parametrize(
    ("field_type", "sent"),
    [
        (NANO_TIME, 1_001),
        (NANO_TIMESTAMP, 1_001),
        (MICRO_TIME, 86_400_000_001),
        (MICRO_TIME, -1),
        (MONEY_TEXT, "12345678901234567.00"),
        (MONEY_TEXT, "0.001"),
        (MONEY_TEXT, "1_0"),
        (MONEY_TEXT, ""),
        (numeric_text(0, 0), "1e999999"),
        (numeric_text(0, 0), "x"),
        (VARIABLE, {"scale": 10**6, "value": b"\x01"}),
        (VARIABLE, {"scale": 0, "value": b"\x01" + bytes(2000)}),
    ],
)
def test_what_the_source_can_not_hold_is_out_of_range(field_type: Any, sent: Any) -> None:
    decoded = decode(field_type, sent)
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("field_type", "sent", "text"),
    [
        (DATE, 2146033979, "infinity"),
        (DATE, -(2**31), "-infinity"),
        (DATE, 2_932_897, "10000-01-01"),
        (DATE, -719_163, "0001-12-31 BC"),
        (DATE, -2_440_588, "4714-11-24 BC"),
        (DATE, 2_145_042_905, "5874897-12-31"),
        (MICRO_TIMESTAMP, -(2**63), "-infinity"),
        (MICRO_TIMESTAMP, 9223372036825200000, "infinity"),
        (MICRO_TIMESTAMP, 253_402_300_800_000_000, "10000-01-01 00:00:00"),
        (MICRO_TIMESTAMP, -62_135_596_800_000_001, "0001-12-31 23:59:59.999999 BC"),
        (MICRO_TIME, 86_400_000_000, "24:00:00"),
        (INSTANT, "infinity", "infinity"),
        (MONEY_TEXT, "NAN", "NaN"),
        (MONEY_TEXT, "POSITIVE_INFINITY", "Infinity"),
        (MONEY_TEXT, "NEGATIVE_INFINITY", "-Infinity"),
    ],
)
def test_what_the_source_holds_and_no_column_does_is_null_with_its_text(field_type: Any, sent: Any, text: str) -> None:
    decoded = decode(field_type, sent)
    assert isinstance(decoded, ChangeEvent)
    assert (decoded.values, decoded.not_representable) == ((None,), {"c": text})


@pytest.mark.parametrize(
    ("field_type", "sent", "landed"),
    [
        (MONEY_TEXT, "-12.34", Decimal("-12.34")),
        (MONEY_TEXT, "9999999999999999.99", Decimal("9999999999999999.99")),
        (MONEY_TEXT, "-0.00", Decimal("0.00")),
        (MONEY_TEXT, "1E+3", Decimal("1000.00")),
        (MONEY_TEXT, "5", Decimal("5.00")),
        # numeric(5,-2), read as eleven bits; numeric(2,5); more digits than a decimal has; none said
        (numeric_text(5, 2046), "1234500.00", Decimal(1234500)),
        (numeric_text(5, -2), "1.2345E+6", Decimal(1234500)),
        (numeric_text(2, 5), "0.00012", Decimal("0.00012")),
        (numeric_text(40, 2), "1" * 38 + ".25", "1" * 38 + ".25"),
        (numeric_text(0, 0), "1.500", "1.500"),
        (numeric_text(131_089, 0), "1E-7", "0.0000001"),
        (numeric_text(0, 0), "NAN", "NaN"),
    ],
)
def test_a_decimal_that_travels_as_text_lands_exactly(field_type: Any, sent: str, landed: Any) -> None:
    value = value_of(field_type, sent)
    assert (value, str(value)) == (landed, str(landed))


@pytest.mark.parametrize(
    ("field_type", "sent"),
    [
        ("string", PLACEHOLDER),
        (named("string", "io.debezium.data.Json"), PLACEHOLDER),
        ("bytes", PLACEHOLDER.encode()),
        (array("string"), [PLACEHOLDER]),
        (array("int"), list(PLACEHOLDER.encode())),
        (array("long"), list(PLACEHOLDER.encode())),
        ({"type": "map", "values": "string"}, {PLACEHOLDER: PLACEHOLDER}),
    ],
)
def test_a_value_that_was_not_sent_is_named_whatever_its_type(field_type: Any, sent: Any) -> None:
    decoded = decode(field_type, sent)
    assert isinstance(decoded, ChangeEvent)
    assert (decoded.values, decoded.unavailable) == ((None,), ("c",))


def test_text_that_is_not_utf_8_is_malformed_where_it_is_read_and_nowhere_else() -> None:
    schema = envelope([{"name": "c", "type": ["null", "string"]}])
    decoder = decoder_for(TopicKind.CHANGES, json.dumps(schema))
    assert not isinstance(decoder, DecodeError)
    body = avro(schema, change("u", {"c": "readme"}))
    decoded = decoder.decode(body.replace(b"readme", b"rea\xffme"), None)
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.MALFORMED
    assert isinstance(decoder.decode(body.replace(b"3.7.0", b"3.\xff.0"), None), ChangeEvent)


def test_an_instant_of_a_far_year_is_still_exact() -> None:
    micros = value_of(INSTANT, "9999-12-31T23:59:59.999999Z")
    assert micros == int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)).timestamp()) * 10**6 + 999_999
