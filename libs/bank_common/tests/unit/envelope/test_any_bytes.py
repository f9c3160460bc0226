"""Habit 1: any bytes at all give an event or a reason; nothing raises."""

import pytest
from envelope_testing.debezium import ACCOUNT_FIELDS, NOTIFICATION, TRANSACTION, avro, change, envelope, key_schema
from hypothesis import example, given
from hypothesis import strategies as st

from bank_common.envelope.avro_reader import AvroReader
from bank_common.envelope.decoding import EncodedKey, KeyDecoder, RecordDecoder, decoder_for, key_decoder_for, unframe
from bank_common.envelope.events import ChangeEvent, DecodeError, DecodeErrorReason, NotificationEvent, TransactionEvent
from bank_common.envelope.topic_kind import TopicKind
from bank_common.envelope.wire import Framed

EVERY_TYPE = [
    {"name": "flag", "type": "boolean"},
    {"name": "born", "type": ["null", {"type": "int", "connect.name": "io.debezium.time.Date"}]},
    {"name": "at", "type": ["null", {"type": "int", "connect.name": "io.debezium.time.Time"}]},
    {"name": "seen", "type": ["null", {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}]},
    {"name": "blob", "type": ["null", "bytes"]},
    {"name": "ratio", "type": "double"},
    *ACCOUNT_FIELDS,
]
SCHEMAS = {
    TopicKind.CHANGES: envelope(EVERY_TYPE),
    TopicKind.TRANSACTIONS: TRANSACTION,
    TopicKind.NOTIFICATIONS: NOTIFICATION,
}
ROW = {
    "flag": True,
    "born": 1,
    "at": 2,
    "seen": 3,
    "blob": b"x",
    "ratio": 0.5,
    "id": 1,
    "customer_id": 2,
    "account_type": "CHECKING",
    "balance": 5,
    "created_at": "2026-03-01T10:00:00Z",
}
GOOD = avro(SCHEMAS[TopicKind.CHANGES], change("c", {**ROW, "balance": b"\x05"}))
EVENTS = ChangeEvent | TransactionEvent | NotificationEvent | DecodeError


def decoder(kind: TopicKind) -> RecordDecoder:
    import json

    record_decoder = decoder_for(kind, json.dumps(SCHEMAS[kind]))
    assert not isinstance(record_decoder, DecodeError)
    return record_decoder


def keys() -> KeyDecoder:
    import json

    decoded = key_decoder_for(json.dumps(key_schema()))
    assert isinstance(decoded, KeyDecoder)
    return decoded


DECODERS = {kind: decoder(kind) for kind in TopicKind}
KEYS = keys()


@given(st.binary())
def test_unframe_any_bytes(data: bytes) -> None:
    decoded = unframe(data)
    assert isinstance(decoded, Framed | DecodeError)
    if isinstance(decoded, Framed):
        assert b"\x00" + decoded.schema_id.to_bytes(4, "big") + decoded.body == data


@pytest.mark.parametrize("kind", list(TopicKind))
@given(body=st.binary(max_size=400), key=st.binary(max_size=12))
@example(body=b"", key=b"")
@example(body=b"\xff" * 200, key=b"\xff" * 12)
def test_decode_any_bytes(kind: TopicKind, body: bytes, key: bytes) -> None:
    assert isinstance(DECODERS[kind].decode(body, EncodedKey(KEYS, key)), EVENTS)


@given(st.data())
def test_decode_damaged_records(data: st.DataObject) -> None:
    """Close to the real thing: flipped bytes, cut ends, bytes put in."""
    body = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(body)))
        match data.draw(st.sampled_from(["flip", "cut", "insert"])):
            case "flip" if index < len(body):
                body[index] ^= data.draw(st.integers(1, 255))
            case "cut":
                del body[index : index + data.draw(st.integers(0, 20))]
            case _:
                body[index:index] = data.draw(st.binary(max_size=20))
    assert isinstance(DECODERS[TopicKind.CHANGES].decode(bytes(body), None), EVENTS)


@given(st.integers(0, len(GOOD) - 1))
def test_a_record_cut_anywhere_is_no_event(length: int) -> None:
    assert isinstance(DECODERS[TopicKind.CHANGES].decode(GOOD[:length], None), DecodeError)


def test_bytes_after_the_record_are_no_part_of_it() -> None:
    decoded = DECODERS[TopicKind.CHANGES].decode(GOOD + b"\x00", None)
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.TRAILING_BYTES


@given(st.text())
def test_any_text_as_a_schema(text: str) -> None:
    assert isinstance(AvroReader.parse(text), AvroReader | DecodeError)
