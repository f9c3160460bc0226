import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from envelope_testing.debezium import ACCOUNT_FIELDS, NOTE_FIELD, avro, change, envelope, framed, key_schema
from hypothesis import given
from hypothesis import strategies as st

from bank_common.envelope.decoding import EncodedKey, KeyDecoder, arrow_decoder_for, decoder_for, key_decoder_for
from bank_common.envelope.events import ChangeEvent, DecodeError, DecodeErrorReason
from bank_common.envelope.topic_kind import TopicKind

FIELDS = [*ACCOUNT_FIELDS, NOTE_FIELD, {"name": "blob", "type": ["null", "bytes"], "default": None}]
SCHEMA = envelope(FIELDS)
ROW: dict[str, Any] = {
    "id": 5,
    "customer_id": 2,
    "account_type": "CHECKING",
    "balance": Decimal("-12.34"),
    "created_at": "2026-03-01T10:00:00.123456Z",
    "note": None,
    "blob": None,
}
DECODER = decoder_for(TopicKind.CHANGES, json.dumps(SCHEMA))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decode(value: dict[str, Any], key: EncodedKey | None = None) -> ChangeEvent | DecodeError:
    assert not isinstance(DECODER, DecodeError)
    decoded = DECODER.decode(avro(SCHEMA, value), key)
    assert isinstance(decoded, ChangeEvent | DecodeError)
    return decoded


def event(value: dict[str, Any], key: EncodedKey | None = None) -> ChangeEvent:
    decoded = decode(value, key)
    assert isinstance(decoded, ChangeEvent), decoded
    return decoded


def key_of(identity: int, schema: dict[str, Any] | None = None) -> EncodedKey:
    schema = schema or key_schema()
    decoder = key_decoder_for(json.dumps(schema))
    assert isinstance(decoder, KeyDecoder)
    return EncodedKey(decoder, avro(schema, {schema["fields"][0]["name"]: identity}))


def test_a_change_carries_its_row_and_its_position() -> None:
    decoded = event(change("u", ROW, lsn=77, tx_id=9, order=3))
    micros = 1_772_359_200_123_456
    assert decoded.values == (5, 2, "CHECKING", Decimal("-12.34"), micros, None, None)
    assert (decoded.op, decoded.snapshot, decoded.lsn, decoded.tx_id, decoded.tx_order) == ("u", "false", 77, 9, 3)
    assert decoded.source_time == 1_770_000_000_123_456
    assert decoded.unavailable == ()


def test_a_snapshot_row_belongs_to_no_transaction() -> None:
    decoded = event({**change("r", ROW, snapshot="last"), "transaction": None})
    assert (decoded.op, decoded.snapshot, decoded.tx_order) == ("r", "last", None)


def test_a_delete_is_its_key_alone_whatever_before_says() -> None:
    invented = {**ROW, "account_type": "", "balance": Decimal(0)}
    decoded = event({**change("d", None), "before": invented}, key_of(5))
    assert decoded.values == (5, None, None, None, None, None, None)


def test_a_delete_without_a_usable_key_is_rejected() -> None:
    for key in (None, key_of(5, key_schema({"name": "elsewhere", "type": "int"}))):
        decoded = decode(change("d", None), key)
        assert isinstance(decoded, DecodeError)
        assert decoded.reason is DecodeErrorReason.NO_KEY


def test_a_truncate_has_no_values() -> None:
    assert event(change("t", None)).values == (None,) * len(FIELDS)


def test_a_column_that_was_not_sent_is_named_and_null() -> None:
    placeholder = "__debezium_unavailable_value"
    decoded = event(change("u", {**ROW, "note": placeholder, "blob": placeholder.encode()}))
    assert decoded.unavailable == ("note", "blob")
    assert decoded.values[-2:] == (None, None)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (change("m", ROW), DecodeErrorReason.UNKNOWN_OPERATION),
        (change("c", None), DecodeErrorReason.NO_ROW),
        (change("c", {**ROW, "created_at": "2026-02-30T10:00:00Z"}), DecodeErrorReason.OUT_OF_RANGE),
        (change("c", {**ROW, "created_at": "2026-03-01T10:00:00"}), DecodeErrorReason.OUT_OF_RANGE),
        (change("c", {**ROW, "created_at": "2026-03-01T10:00:00.1234567Z"}), DecodeErrorReason.OUT_OF_RANGE),
        (change("c", ROW, ts_us=None, ts_ms=2**62), DecodeErrorReason.OUT_OF_RANGE),
    ],
)
def test_what_can_not_be_carried_exactly_is_rejected(value: dict[str, Any], reason: DecodeErrorReason) -> None:
    decoded = decode(value)
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is reason


def test_a_decimal_of_too_many_digits_is_rejected_and_not_rounded() -> None:
    """fastavro itself would round it to the schema's precision."""
    raw = json.loads(json.dumps(SCHEMA).replace('"logicalType": "decimal"', '"comment": "raw"'))
    body = avro(raw, change("c", {**ROW, "balance": (10**18).to_bytes(9, "big")}))
    assert not isinstance(DECODER, DecodeError)
    decoded = DECODER.decode(body, None)
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.OUT_OF_RANGE
    assert str(10**18) not in decoded.detail


MARKED = envelope(FIELDS, marked=True)


def marked(**envelope_fields: Any) -> ChangeEvent | DecodeError:
    """An update of the row with these fields in its envelope."""
    decoder = decoder_for(TopicKind.CHANGES, json.dumps(MARKED))
    assert not isinstance(decoder, DecodeError)
    decoded = decoder.decode(
        avro(MARKED, change("u", ROW) | {"unavailable": None, "not_carried": None} | envelope_fields), None
    )
    assert isinstance(decoded, ChangeEvent | DecodeError)
    return decoded


def test_an_envelope_that_says_what_was_not_sent_is_believed() -> None:
    decoded = marked(unavailable='["note", "blob"]')
    assert isinstance(decoded, ChangeEvent)
    assert decoded.unavailable == ("note", "blob")


def test_a_text_like_the_placeholder_is_a_text_where_the_envelope_says_what_was_not_sent() -> None:
    placeholder = "__debezium_unavailable_value"
    decoded = marked(after={**ROW, "note": placeholder, "blob": placeholder.encode()})
    assert isinstance(decoded, ChangeEvent)
    assert decoded.unavailable == ()
    assert decoded.values[-2:] == (placeholder, placeholder.encode())


def test_what_was_too_large_to_carry_is_named_with_its_size() -> None:
    decoded = marked(not_carried='{"blob": "17000000 bytes"}')
    assert isinstance(decoded, ChangeEvent)
    assert decoded.not_representable == {"blob": "17000000 bytes"}


@pytest.mark.parametrize(
    "said",
    [
        {"unavailable": "note"},
        {"unavailable": '["elsewhere"]'},
        {"unavailable": "{}"},
        {"unavailable": "[" * 100_000},
        {"unavailable": "[7]"},
        {"not_carried": '["note"]'},
        {"not_carried": '{"elsewhere": "x"}'},
        {"not_carried": '{"note": 7}'},
    ],
)
def test_an_envelope_that_says_something_else_is_malformed(said: dict[str, str]) -> None:
    decoded = marked(**said)
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.MALFORMED


def test_a_value_that_no_column_holds_is_null_and_its_text_is_kept() -> None:
    for instant in ("infinity", "-infinity", "+292278994-08-16T23:00:00Z", "-0043-03-15T00:00:00Z"):
        decoded = event(change("u", {**ROW, "created_at": instant}), key_of(5))
        assert decoded.values == (5, 2, "CHECKING", Decimal("-12.34"), None, None, None)
        assert decoded.not_representable == {"created_at": instant}


def test_a_key_that_no_column_holds_is_rejected() -> None:
    key = key_of(0, key_schema({"name": "created_at", "type": ["null", "int"]}))
    decoded = decode(change("u", {**ROW, "created_at": "infinity"}), key)
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.OUT_OF_RANGE


def test_a_column_that_is_called_like_one_of_ours_keeps_its_value_as_text() -> None:
    schema = envelope([*FIELDS, {"name": "_cdc_op", "type": ["null", "string"]}])
    decoder = decoder_for(TopicKind.CHANGES, json.dumps(schema))
    assert not isinstance(decoder, DecodeError)
    assert [column.name for column in decoder.columns] == [field["name"] for field in FIELDS]
    rows = arrow_decoder_for(TopicKind.CHANGES, decoder).decode(
        [framed(1, schema, change("u", {**ROW, "_cdc_op": text})) for text in ("mine", None)], [None, None], {}
    )
    assert not rows.rejected
    assert rows.rows["_cdc_op"].to_pylist() == ["u", "u"]
    assert rows.rows["_cdc_not_representable"].to_pylist() == ['{"_cdc_op": "mine"}', None]


@given(
    identity=st.integers(-(2**31), 2**31 - 1),
    unscaled=st.integers(-(10**18) + 1, 10**18 - 1),
    instant=st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001 - zone follows
    offset_minutes=st.integers(-14 * 60, 14 * 60),
    text=st.text(),
    blob=st.none() | st.binary(),
)
def test_values_equal_what_fastavro_reads(
    identity: int, unscaled: int, instant: datetime, offset_minutes: int, text: str, blob: bytes | None
) -> None:
    from datetime import timezone
    from io import BytesIO

    created_at = instant.replace(tzinfo=timezone(timedelta(minutes=offset_minutes))).isoformat()
    row = {
        **ROW,
        "id": identity,
        "balance": Decimal(unscaled).scaleb(-2),
        "created_at": created_at,
        "note": text,
        "blob": blob,
    }
    body = avro(SCHEMA, change("c", row))
    expected: Any = fastavro.schemaless_reader(BytesIO(body), fastavro.parse_schema(SCHEMA), None)
    expected = expected["after"]
    decoded = event(change("c", row)).values
    assert decoded[:4] == tuple(expected[name] for name in ("id", "customer_id", "account_type", "balance"))
    assert EPOCH + timedelta(microseconds=decoded[4]) == datetime.fromisoformat(expected["created_at"])
    assert decoded[5:] == (expected["note"], expected["blob"])
