from typing import Any

import pytest
from consumer_testing.fakes import MemoryRegistry
from envelope_testing.debezium import ACCOUNT_FIELDS, TRANSACTION, change, envelope, framed, key_schema

from bank_common.envelope.events import DecodeErrorReason
from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing.segments import TopicPartition
from cdc_consumer.consume.batcher import Batcher, IncomingBatch, RejectedBatch, SchemaBatch, TombstoneBatch
from cdc_consumer.failures import FailedError
from cdc_consumer.model.flush_limits import FlushLimits, FlushReason
from cdc_consumer.model.partition_buffer import PartitionBuffer
from cdc_consumer.model.records import Records
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.segments.decoded_batch import DecodedBatch

ENVELOPE = envelope(ACCOUNT_FIELDS)
BAD = {"type": "record", "name": "Value", "fields": [{"name": "x", "type": "long"}]}
SCHEMAS = {1: ENVELOPE, 2: key_schema(), 3: TRANSACTION, 4: BAD}
TOPICS = LandedTopics({"rows": TopicKind.CHANGES, "tx": TopicKind.TRANSACTIONS}, frozenset({"public.accounts"}))
ROW = {"id": 1, "customer_id": 1, "account_type": "A", "balance": b"\x01", "created_at": None}


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry(SCHEMAS)


@pytest.fixture
def batcher(registry: MemoryRegistry) -> Batcher:
    return Batcher(registry, TOPICS)


CHANGES, TX = TopicPartition("rows", 0), TopicPartition("tx", 0)
GOOD = framed(1, ENVELOPE, change("c", ROW))
DELETE = framed(1, ENVELOPE, change("d", None))
KEY = framed(2, key_schema(), {"id": 1})
LIMITS = FlushLimits(10**6, 10**12, 10**12, 1, 1)


def records(*values: bytes | None, key: bytes | None = KEY) -> Records:
    count = len(values)
    return Records(list(range(count)), [key] * count, list(values), [None] * count)


def take(
    batcher: Batcher, *values: bytes | None, topic_partition: TopicPartition = CHANGES, key: bytes | None = KEY
) -> list[IncomingBatch]:
    return list(batcher.batches(topic_partition, records(*values, key=key)))


def decoded(batcher: Batcher, *values: bytes, key: bytes | None = KEY) -> DecodedBatch:
    buffer = PartitionBuffer(CHANGES, 0, LIMITS)
    for batch in take(batcher, *values, key=key):
        if isinstance(batch, SchemaBatch):
            buffer.add(batch.records, batch.value_schema, urgent=True, now=0.0)
        elif isinstance(batch, RejectedBatch):
            buffer.reject(batch.records, batch.error, now=0.0)
    buffer.seal(FlushReason.AGE)
    assert buffer.head is not None
    return batcher.decode(buffer.head)


def test_a_change_is_urgent_and_the_registry_is_asked_once_per_schema(
    batcher: Batcher, registry: MemoryRegistry
) -> None:
    for _ in range(3):
        [batch] = take(batcher, GOOD, GOOD)
        assert isinstance(batch, SchemaBatch)
        assert batch.urgent
        assert (batch.value_schema.kind, batch.value_schema.schema_id, batch.records.count) == (TopicKind.CHANGES, 1, 2)
    assert registry.asked == 2


def test_neighbours_of_one_kind_are_one_batch_and_nothing_is_left_out(batcher: Batcher) -> None:
    batches = take(batcher, GOOD, GOOD, None, None, b"junk", GOOD)
    assert [type(batch) for batch in batches] == [SchemaBatch, TombstoneBatch, RejectedBatch, SchemaBatch]
    assert [offset for batch in batches for offset in batch.records.offsets] == list(range(6))


def test_a_delete_is_read_by_its_key(batcher: Batcher) -> None:
    batch = decoded(batcher, DELETE)
    assert batch.rejected == {}
    assert [batch.rows[name].to_pylist() for name in ("id", "account_type", "_cdc_op")] == [[1], [None], ["d"]]


def test_poison_inside_a_batch_is_named_by_its_index(batcher: Batcher) -> None:
    batch = decoded(batcher, GOOD, GOOD + b"\0", b"\1junk", GOOD[:20], GOOD)
    reasons = {index: error.reason for index, error in batch.rejected.items()}
    assert reasons == {
        1: DecodeErrorReason.TRAILING_BYTES,
        2: DecodeErrorReason.BAD_MAGIC,
        3: DecodeErrorReason.TRUNCATED,
    }
    assert batch.rows["_cdc_offset"].to_pylist() == [0, 4]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (None, DecodeErrorReason.NO_KEY),
        (b"", DecodeErrorReason.TRUNCATED),
        (b"\0\0\0\0\x63\2", DecodeErrorReason.UNKNOWN_SCHEMA),
        (framed(4, BAD, {"x": 1}), DecodeErrorReason.NO_KEY),
    ],
)
def test_a_delete_without_a_usable_key_is_rejected(
    batcher: Batcher, key: bytes | None, reason: DecodeErrorReason
) -> None:
    batch = decoded(batcher, DELETE, key=key)
    assert batch.rejected[0].reason is reason


@pytest.mark.parametrize(
    ("status", "collections", "urgent"),
    [
        ("BEGIN", None, False),
        ("END", [], False),
        ("END", [("public.cdc_heartbeat", 1)], False),
        ("END", [("public.accounts", 0)], False),
        ("END", [("public.cdc_heartbeat", 1), ("public.accounts", 2)], True),
    ],
)
def test_only_an_end_of_a_captured_table_is_urgent(
    batcher: Batcher, status: str, collections: list[tuple[str, int]] | None, urgent: bool
) -> None:
    counted = None if collections is None else [{"data_collection": n, "event_count": c} for n, c in collections]
    value: dict[str, Any] = {
        "status": status,
        "id": "1:1",
        "event_count": 1,
        "data_collections": counted,
        "ts_ms": 1,
    }
    [batch] = take(batcher, framed(3, TRANSACTION, value), topic_partition=TX)
    assert isinstance(batch, SchemaBatch)
    assert batch.urgent is urgent


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", DecodeErrorReason.TRUNCATED),
        (b"\x01\x00\x00\x00\x01", DecodeErrorReason.BAD_MAGIC),
        (b"\x00\x00\x00\x00\x63", DecodeErrorReason.UNKNOWN_SCHEMA),
        (b"\x00\x00\x00\x00\x04", DecodeErrorReason.UNSUPPORTED_SCHEMA),
    ],
)
def test_what_has_no_readable_schema_has_a_reason(batcher: Batcher, value: bytes, reason: DecodeErrorReason) -> None:
    [batch] = take(batcher, value)
    assert isinstance(batch, RejectedBatch)
    assert batch.error.reason is reason


def test_a_registry_that_is_down_is_no_reason_to_reject(batcher: Batcher, registry: MemoryRegistry) -> None:
    registry.down = True
    batches = batcher.batches(CHANGES, records(None, GOOD))
    assert isinstance(next(batches), TombstoneBatch), "what comes before it can be taken"
    with pytest.raises(FailedError):
        next(batches)
    registry.down = False
    assert isinstance(take(batcher, GOOD)[0], SchemaBatch)


def test_an_unknown_schema_is_asked_for_again(batcher: Batcher, registry: MemoryRegistry) -> None:
    del registry.schemas[1]
    assert isinstance(take(batcher, GOOD)[0], RejectedBatch)
    registry.schemas[1] = ENVELOPE
    assert isinstance(take(batcher, GOOD)[0], SchemaBatch)
