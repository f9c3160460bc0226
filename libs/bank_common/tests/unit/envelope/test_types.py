"""Each type of the connector as it stands in a row: exact, or rejected with a reason."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from envelope_testing.debezium import DECIMAL, INSTANT, avro, change, envelope
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
DATE = named("int", "io.debezium.time.Date")


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
        (NANO_TIME, 86_400_000_000_000),
        (NANO_TIMESTAMP, 1_001),
        (DATE, 2**31 - 1),
        (DATE, -(2**31)),
        (DATE, 2146033979),
        (MICRO_TIMESTAMP, -(2**63)),
        (MICRO_TIMESTAMP, 2**63 - 1),
        (MICRO_TIMESTAMP, 9223372036825200000),
        (MICRO_TIMESTAMP, -9223372036832400000),
        (INSTANT, "+292278994-08-16T23:00:00Z"),
        (array(DATE), [10**7]),
        (VARIABLE, {"scale": 10**6, "value": b"\x01"}),
        (VARIABLE, {"scale": 0, "value": b"\x01" + bytes(2000)}),
    ],
)
def test_what_no_column_holds_is_out_of_range(field_type: Any, sent: Any) -> None:
    decoded = decode(field_type, sent)
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.OUT_OF_RANGE


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
