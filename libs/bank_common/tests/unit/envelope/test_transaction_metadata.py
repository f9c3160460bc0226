import json
from typing import Any

import pytest
from envelope_testing.debezium import TRANSACTION, avro

from bank_common.envelope.decoding import counts_captured, decoder_for
from bank_common.envelope.events import DecodeError, DecodeErrorReason, TransactionEvent
from bank_common.envelope.topic_kind import TopicKind


def decode(value: dict[str, Any]) -> Any:
    decoder = decoder_for(TopicKind.TRANSACTIONS, json.dumps(TRANSACTION))
    assert not isinstance(decoder, DecodeError)
    return decoder.decode(avro(TRANSACTION, value), None)


BEGIN = {"status": "BEGIN", "id": "771:26724144", "event_count": None, "data_collections": None, "ts_ms": 1}


def test_begin_and_end() -> None:
    assert decode(BEGIN) == TransactionEvent("BEGIN", 771, 26724144, None, None, 1000)
    counted = [{"data_collection": "public.accounts", "event_count": 2}]
    end = decode({**BEGIN, "status": "END", "event_count": 2, "data_collections": counted})
    assert (end.event_count, end.collections) == (2, (("public.accounts", 2),))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "771"}, DecodeErrorReason.MALFORMED),
        ({"id": f"{2**64}:1"}, DecodeErrorReason.OUT_OF_RANGE),
        ({"status": "PAUSED"}, DecodeErrorReason.UNKNOWN_OPERATION),
        ({"ts_ms": 2**62}, DecodeErrorReason.OUT_OF_RANGE),
        ({"status": "END", "event_count": 1, "data_collections": [None]}, DecodeErrorReason.MALFORMED),
    ],
)
def test_transactions_that_make_no_sense(change: dict[str, Any], reason: DecodeErrorReason) -> None:
    decoded = decode({**BEGIN, **change})
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is reason


@pytest.mark.parametrize(
    "items",
    ["string", ["null", "string"], {"type": "record", "name": "c", "fields": [{"name": "table", "type": "string"}]}],
)
def test_collections_of_something_else_are_unsupported(items: Any) -> None:
    fields = [
        {**field, "type": ["null", {"type": "array", "items": items}]} if field["name"] == "data_collections" else field
        for field in TRANSACTION["fields"]
    ]
    decoded = decoder_for(TopicKind.TRANSACTIONS, json.dumps({**TRANSACTION, "fields": fields}))
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.UNSUPPORTED_SCHEMA


def end(*counted: tuple[str, int]) -> bytes:
    collections = [{"data_collection": name, "event_count": count} for name, count in counted]
    return avro(TRANSACTION, {**BEGIN, "status": "END", "event_count": 9, "data_collections": collections})


@pytest.mark.parametrize(
    ("values", "counted"),
    [
        ([], False),
        ([avro(TRANSACTION, BEGIN), end(), end(("public.cdc_heartbeat", 1))], False),
        ([end(("public.accounts", 0)), end(("public.my_accounts", 1))], False),
        ([end(("public.accounts", 0)), end(("public.accounts", 1))], True),
        ([end(("public.cdc_heartbeat", 1), ("public.customers", 1)), end()], True),
        ([b"\x1epublic.acc", b"ounts\x02"], False),
    ],
)
def test_whether_one_of_many_records_counts_a_captured_table(values: list[bytes], counted: bool) -> None:
    assert counts_captured(values, ["public.accounts", "public.customers"]) is counted


@pytest.mark.parametrize("kind", list(TopicKind))
def test_a_schema_without_the_fields_is_unsupported(kind: TopicKind) -> None:
    schema = {"type": "record", "name": "Other", "fields": [{"name": "id", "type": "long"}]}
    decoded = decoder_for(kind, json.dumps(schema))
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.UNSUPPORTED_SCHEMA
