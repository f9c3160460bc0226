import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bank_common.envelope.events import DecodeError, DecodeErrorReason
from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing.segments import TopicPartition
from cdc_consumer.model.flush_limits import FlushLimits, FlushReason
from cdc_consumer.model.flush_policy import seal_due, seconds_until_due
from cdc_consumer.model.partition_buffer import RECORD_OVERHEAD_BYTES, PartitionBuffer, SegmentBatch, ValueSchema
from cdc_consumer.model.records import Records
from cdc_consumer.model.segment_budget import Budget, SegmentBudget

TOPIC_PARTITION = TopicPartition("t", 0)
ERROR = DecodeError(DecodeErrorReason.BAD_MAGIC, "detail")
UNLIMITED = SegmentBudget(Budget())
LIMITS = FlushLimits(max_rows=5, max_bytes=10**9, max_total_bytes=10**9, flush_seconds=1, idle_flush_seconds=300)


def value_schema(schema_id: int = 1) -> ValueSchema:
    return ValueSchema(TopicKind.TRANSACTIONS, schema_id, ())


def add(
    buffer: PartitionBuffer, offset: int, *, schema_id: int = 1, urgent: bool = True, now: float = 0.0, size: int = 10
) -> None:
    buffer.add(records(offset, size=size), value_schema(schema_id), urgent=urgent, now=now)


def records(*offsets: int, size: int = 10) -> Records:
    count = len(offsets)
    return Records(list(offsets), [None] * count, [bytes(size)] * count, [None] * count)


def drain(buffer: PartitionBuffer) -> list[SegmentBatch]:
    batches: list[SegmentBatch] = []
    while buffer.head is not None:
        batches.append(buffer.head)
        buffer.stored()
    return batches


actions = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(-3, 5), st.integers(1, 2)),
        st.tuples(st.just("reject"), st.integers(-3, 5), st.just(0)),
        st.tuples(st.just("add many"), st.integers(-3, 5), st.integers(1, 2)),
        st.tuples(st.just("skip"), st.integers(-3, 5), st.just(0)),
        st.tuples(st.just("seal"), st.just(0), st.just(0)),
        st.tuples(st.just("store"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(actions, st.integers(0, 10**12))
def test_batches_meet_and_hold_each_record_once(todo: list[tuple[str, int, int]], start: int) -> None:
    buffer = PartitionBuffer(TOPIC_PARTITION, start, LIMITS)
    batches: list[SegmentBatch] = []
    taken: list[int] = []
    rejected: list[int] = []
    for action, hole, schema_id in todo:
        offset = buffer.end + hole
        match action:
            case "add":
                if offset >= buffer.end:
                    taken.append(offset)
                add(buffer, offset, schema_id=schema_id)
            case "add many":
                offsets = [offset + 2 * step for step in range(13)]
                taken += [next_offset for next_offset in offsets if next_offset >= buffer.end]
                buffer.add(records(*offsets), value_schema(schema_id), urgent=True, now=0.0)
            case "reject":
                if offset >= buffer.end:
                    taken.append(offset)
                    rejected.append(offset)
                buffer.reject(records(offset), ERROR, now=0.0)
            case "skip":
                buffer.skip(records(offset))
            case "seal":
                buffer.seal(FlushReason.AGE)
            case _:
                if buffer.head is not None:
                    batches.append(buffer.head)
                    buffer.stored()
                    assert buffer.start == batches[-1].end
    buffer.seal(FlushReason.LEAVING)
    batches += drain(buffer)
    assert [offset for batch in batches for offset in batch.records.offsets] == taken
    assert [batch.records.offsets[index] for batch in batches for index in batch.rejected] == rejected
    assert all(left.end == right.start for left, right in pairwise(batches))
    assert not batches or batches[0].start == start
    for batch in batches:
        assert 0 < batch.records.count <= LIMITS.max_rows
        assert batch.start <= batch.records.offsets[0] <= batch.records.offsets[-1] < batch.end
        assert (batch.value_schema is None) == (len(batch.rejected) == batch.records.count)
    assert buffer.size == 0


def test_holes_lie_inside_segments() -> None:
    buffer = PartitionBuffer(TOPIC_PARTITION, 10, LIMITS)
    add(buffer, 13)
    buffer.skip(records(15))
    buffer.seal(FlushReason.AGE)
    [batch] = drain(buffer)
    assert (batch.start, batch.end) == (10, 16)


def test_a_buffer_without_rows_is_never_sealed() -> None:
    buffer = PartitionBuffer(TOPIC_PARTITION, 0, LIMITS)
    buffer.skip(records(5))
    buffer.seal(FlushReason.LEAVING)
    assert buffer.head is None
    add(buffer, 9)
    buffer.seal(FlushReason.LEAVING)
    [batch] = drain(buffer)
    assert (batch.start, batch.end) == (0, 10)


def test_a_schema_change_seals() -> None:
    buffer = PartitionBuffer(TOPIC_PARTITION, 0, LIMITS)
    add(buffer, 0, schema_id=1)
    add(buffer, 1, schema_id=2)
    assert buffer.head is not None
    assert (buffer.head.reason, buffer.head.end, buffer.head.schema_id) == (FlushReason.SCHEMA, 1, 1)


def test_rows_and_bytes_seal() -> None:
    by_rows = PartitionBuffer(TOPIC_PARTITION, 0, LIMITS)
    for offset in range(5):
        assert by_rows.head is None
        add(by_rows, offset)
    assert by_rows.head is not None
    assert by_rows.head.reason is FlushReason.ROWS
    by_bytes = PartitionBuffer(TOPIC_PARTITION, 0, LIMITS._replace(max_bytes=2 * (RECORD_OVERHEAD_BYTES + 10)))
    add(by_bytes, 0)
    assert by_bytes.head is None
    add(by_bytes, 1)
    assert by_bytes.head is not None
    assert by_bytes.head.reason is FlushReason.BYTES


def test_the_head_stays_the_same_until_it_is_stored() -> None:
    buffer = PartitionBuffer(TOPIC_PARTITION, 0, LIMITS)
    add(buffer, 0)
    buffer.seal(FlushReason.AGE)
    head = buffer.head
    add(buffer, 1)
    assert buffer.head is head
    assert buffer.start == 0


def test_one_old_urgent_buffer_takes_all_urgent_buffers_along_and_no_other() -> None:
    old, young, lazy = (PartitionBuffer(TopicPartition(name, 0), 0, LIMITS) for name in "abc")
    add(old, 0, now=0)
    add(young, 0, now=0.9)
    add(lazy, 0, now=0, urgent=False)
    buffers = [old, young, lazy]
    seal_due(buffers, 0.99, LIMITS, UNLIMITED)
    assert [buffer.head for buffer in buffers] == [None, None, None]
    seal_due(buffers, 1.0, LIMITS, UNLIMITED)
    assert [buffer.head is not None for buffer in buffers] == [True, True, False]


def test_what_nobody_waits_for_waits_longer() -> None:
    buffer = PartitionBuffer(TOPIC_PARTITION, 0, LIMITS)
    add(buffer, 0, now=0, urgent=False)
    seal_due([buffer], 299, LIMITS, UNLIMITED)
    assert buffer.head is None
    seal_due([buffer], 300, LIMITS, UNLIMITED)
    assert buffer.head is not None
    assert buffer.head.reason is FlushReason.IDLE


def test_an_urgent_record_takes_the_lazy_ones_before_it_along() -> None:
    buffer = PartitionBuffer(TOPIC_PARTITION, 0, LIMITS)
    add(buffer, 0, now=0, urgent=False)
    add(buffer, 1, now=10)
    seal_due([buffer], 11, LIMITS, UNLIMITED)
    assert buffer.head is not None
    assert buffer.head.records.offsets == [0, 1]


def test_the_time_until_a_buffer_is_due_is_that_of_its_oldest_record() -> None:
    buffers = [PartitionBuffer(TopicPartition(name, 0), 0, LIMITS) for name in "ab"]
    assert seconds_until_due(buffers, 0, LIMITS, UNLIMITED) == math.inf
    add(buffers[0], 0, now=0, urgent=False)
    assert seconds_until_due(buffers, 100, LIMITS, UNLIMITED) == 200
    add(buffers[1], 0, now=100.25)
    assert seconds_until_due(buffers, 100.5, LIMITS, UNLIMITED) == 0.75
    assert seconds_until_due(buffers, 200, LIMITS, UNLIMITED) == 0


def test_all_buffers_together_are_bounded() -> None:
    buffers = [PartitionBuffer(TopicPartition(name, 0), 0, LIMITS) for name in "ab"]
    for buffer in buffers:
        add(buffer, 0, urgent=False, size=1000)
    seal_due(buffers, 0, LIMITS._replace(max_total_bytes=2 * RECORD_OVERHEAD_BYTES), UNLIMITED)
    assert [buffer.head is not None and buffer.head.reason for buffer in buffers] == [FlushReason.MEMORY] * 2


def test_a_batch_of_rejects_alone_is_a_segment_too() -> None:
    buffer = PartitionBuffer(TOPIC_PARTITION, 0, LIMITS)
    buffer.reject(records(0, 1), ERROR, now=0.0)
    buffer.seal(FlushReason.AGE)
    [batch] = drain(buffer)
    assert (batch.value_schema, batch.schema_id, dict(batch.rejected)) == (None, 0, {0: ERROR, 1: ERROR})


def test_traces_are_taken_from_the_headers() -> None:
    buffer = PartitionBuffer(TOPIC_PARTITION, 0, LIMITS)
    headers = [[("traceparent", b"00-a-b-01"), ("other", b"x")], None, [("traceparent", b"00-a-b-01")]]
    buffer.add(Records([0, 1, 2], [None] * 3, [b""] * 3, headers), value_schema(), urgent=True, now=0.0)
    buffer.seal(FlushReason.AGE)
    [batch] = drain(buffer)
    assert batch.traceparents == ("00-a-b-01",)


def test_buffers_without_budget_wait_together_for_it_and_no_longer_than_its_cap() -> None:
    budget = SegmentBudget(Budget(per_second=0.5, longest_seconds=4))
    budget.spend(2, 0.0)
    buffers = [PartitionBuffer(TopicPartition(name, 0), 0, LIMITS) for name in "ab"]
    for buffer, now in zip(buffers, (0.0, 0.5), strict=True):
        add(buffer, 0, now=now)
    assert seconds_until_due(buffers, 0.0, LIMITS, budget) == 4.0
    assert seal_due(buffers, 3.9, LIMITS, budget) is None
    assert not any(buffer.head for buffer in buffers)
    assert seal_due(buffers, 4.0, LIMITS, budget) == 4.0
    assert all(buffer.head for buffer in buffers)
