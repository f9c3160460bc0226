"""`chain check` on a bucket that the consumer filled, and on the same one after somebody touched it."""

from collections.abc import Callable

import pytest
from consumer_testing.fakes import MemoryObjectStore, MemoryRegistry
from envelope_testing.debezium import ACCOUNT_FIELDS, change, envelope, framed

from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing.segments import TopicPartition
from cdc_consumer.commands.chain import inspected
from cdc_consumer.consume.batcher import Batcher, RejectedBatch, SchemaBatch
from cdc_consumer.model.flush_limits import FlushLimits, FlushReason
from cdc_consumer.model.partition_buffer import PartitionBuffer
from cdc_consumer.model.records import Records
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.ports import StoredObject
from cdc_consumer.segments.segment import encode

TOPIC_PARTITION = TopicPartition("rows", 0)
ENVELOPE = envelope(ACCOUNT_FIELDS)
ROW = {"id": 1, "customer_id": 1, "account_type": "A", "balance": b"\x01", "created_at": None}
VALUE = framed(1, ENVELOPE, change("c", ROW))


@pytest.fixture
def store() -> MemoryObjectStore:
    """Three segments of three records, the last of each a rejected one."""
    batcher = Batcher(
        MemoryRegistry({1: ENVELOPE}), LandedTopics({TOPIC_PARTITION.topic: TopicKind.CHANGES}, frozenset())
    )
    buffer = PartitionBuffer(TOPIC_PARTITION, 0, FlushLimits(10**6, 10**12, 10**12, 1, 1))
    bucket = MemoryObjectStore()
    for first in (0, 3, 6):
        records = Records(list(range(first, first + 3)), [None] * 3, [VALUE, VALUE, b"junk"], [None] * 3)
        for batch in batcher.batches(TOPIC_PARTITION, records):
            if isinstance(batch, SchemaBatch):
                buffer.add(batch.records, batch.value_schema, urgent=True, now=0.0)
            elif isinstance(batch, RejectedBatch):
                buffer.reject(batch.records, batch.error, now=0.0)
        buffer.seal(FlushReason.AGE)
        assert buffer.head is not None
        segment = encode(buffer.head, batcher.decode(buffer.head), "id", None)
        buffer.stored()
        assert bucket.create(str(segment.key), segment.body, segment.metadata.to_headers())
    return bucket


def problems(store: MemoryObjectStore, *, deep: bool = True) -> list[str]:
    return inspected(store, [TOPIC_PARTITION.topic], deep=deep)[1]


def test_what_the_consumer_wrote_is_whole(store: MemoryObjectStore) -> None:
    landing, errors = inspected(store, [TOPIC_PARTITION.topic], deep=True)
    assert errors == []
    [chain] = landing.chains
    assert (chain.start, chain.end, chain.rows, chain.rejected) == (0, 9, 6, 3)


def _lose(store: MemoryObjectStore, key: str) -> None:
    del store.objects[key]


def _cut(store: MemoryObjectStore, key: str) -> None:
    stored = store.objects[key]
    store.objects[key] = StoredObject(stored.body[:-1], stored.metadata)


def _put_junk(store: MemoryObjectStore, key: str) -> None:
    store.objects[f"{key}.bak"] = StoredObject(b"", {})


@pytest.mark.parametrize(
    ("touch", "said", "quick"), [(_lose, "gap", True), (_cut, "sha256", False), (_put_junk, "not the key", True)]
)
def test_what_was_touched_is_named(
    store: MemoryObjectStore, touch: Callable[[MemoryObjectStore, str], None], said: str, quick: bool
) -> None:
    touch(store, sorted(store.objects)[1])
    [problem] = problems(store)
    assert said in problem
    assert bool(problems(store, deep=False)) is quick
