import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bank_common.landing import TopicPartition
from cdc_consumer.events import DecodeError, Reason
from cdc_consumer.partition_buffer import (
    RECORD_OVERHEAD_BYTES,
    Batch,
    FlushReason,
    Limits,
    Line,
    Shape,
    seal_due,
    seconds_until_due,
)
from cdc_consumer.records import Records
from cdc_consumer.segment_budget import Budget, SegmentBudget
from cdc_consumer.topics import TopicKind

CHAIN = TopicPartition("t", 0)
ERROR = DecodeError(Reason.BAD_MAGIC, "detail")
UNLIMITED = SegmentBudget(Budget())
LIMITS = Limits(max_rows=5, max_bytes=10**9, max_total_bytes=10**9, flush_seconds=1, idle_flush_seconds=300)


def shape(schema_id: int = 1) -> Shape:
    return Shape(TopicKind.TRANSACTIONS, schema_id, ())


def add(line: Line, offset: int, *, schema_id: int = 1, urgent: bool = True, now: float = 0.0, size: int = 10) -> None:
    line.add(records(offset, size=size), shape(schema_id), urgent=urgent, now=now)


def records(*offsets: int, size: int = 10) -> Records:
    count = len(offsets)
    return Records(offsets, [None] * count, [bytes(size)] * count, [None] * count)


def drain(line: Line) -> list[Batch]:
    found: list[Batch] = []
    while line.head is not None:
        found.append(line.head)
        line.stored()
    return found


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
    line = Line(CHAIN, start, LIMITS)
    batches: list[Batch] = []
    taken: list[int] = []
    rejected: list[int] = []
    for action, hole, schema_id in todo:
        offset = line.end + hole
        match action:
            case "add":
                if offset >= line.end:
                    taken.append(offset)
                add(line, offset, schema_id=schema_id)
            case "add many":
                offsets = [offset + 2 * step for step in range(13)]
                taken += [each for each in offsets if each >= line.end]
                line.add(records(*offsets), shape(schema_id), urgent=True, now=0.0)
            case "reject":
                if offset >= line.end:
                    taken.append(offset)
                    rejected.append(offset)
                line.reject(records(offset), ERROR, now=0.0)
            case "skip":
                line.skip(records(offset))
            case "seal":
                line.seal(FlushReason.AGE)
            case _:
                if line.head is not None:
                    batches.append(line.head)
                    line.stored()
                    assert line.start == batches[-1].end
    line.seal(FlushReason.LEAVING)
    batches += drain(line)
    assert [offset for batch in batches for offset in batch.records.offsets] == taken
    assert [batch.records.offsets[place] for batch in batches for place in batch.rejected] == rejected
    assert all(left.end == right.start for left, right in pairwise(batches))
    assert not batches or batches[0].start == start
    for batch in batches:
        assert 0 < batch.records.count <= LIMITS.max_rows
        assert batch.start <= batch.records.offsets[0] <= batch.records.offsets[-1] < batch.end
        assert (batch.shape is None) == (len(batch.rejected) == batch.records.count)
    assert line.size == 0


def test_holes_lie_inside_segments() -> None:
    line = Line(CHAIN, 10, LIMITS)
    add(line, 13)
    line.skip(records(15))
    line.seal(FlushReason.AGE)
    [batch] = drain(line)
    assert (batch.start, batch.end) == (10, 16)


def test_a_buffer_without_rows_is_never_sealed() -> None:
    line = Line(CHAIN, 0, LIMITS)
    line.skip(records(5))
    line.seal(FlushReason.LEAVING)
    assert line.head is None
    add(line, 9)
    line.seal(FlushReason.LEAVING)
    [batch] = drain(line)
    assert (batch.start, batch.end) == (0, 10)


def test_a_schema_change_seals() -> None:
    line = Line(CHAIN, 0, LIMITS)
    add(line, 0, schema_id=1)
    add(line, 1, schema_id=2)
    assert line.head is not None
    assert (line.head.reason, line.head.end, line.head.schema_id) == (FlushReason.SCHEMA, 1, 1)


def test_rows_and_bytes_seal() -> None:
    by_rows = Line(CHAIN, 0, LIMITS)
    for offset in range(5):
        assert by_rows.head is None
        add(by_rows, offset)
    assert by_rows.head is not None
    assert by_rows.head.reason is FlushReason.ROWS
    by_bytes = Line(CHAIN, 0, LIMITS._replace(max_bytes=2 * (RECORD_OVERHEAD_BYTES + 10)))
    add(by_bytes, 0)
    assert by_bytes.head is None
    add(by_bytes, 1)
    assert by_bytes.head is not None
    assert by_bytes.head.reason is FlushReason.BYTES


def test_the_head_stays_the_same_until_it_is_stored() -> None:
    line = Line(CHAIN, 0, LIMITS)
    add(line, 0)
    line.seal(FlushReason.AGE)
    head = line.head
    add(line, 1)
    assert line.head is head
    assert line.start == 0


def test_one_old_urgent_line_takes_all_urgent_lines_along_and_no_other() -> None:
    old, young, lazy = (Line(TopicPartition(name, 0), 0, LIMITS) for name in "abc")
    add(old, 0, now=0)
    add(young, 0, now=0.9)
    add(lazy, 0, now=0, urgent=False)
    lines = [old, young, lazy]
    seal_due(lines, 0.99, LIMITS, UNLIMITED)
    assert [line.head for line in lines] == [None, None, None]
    seal_due(lines, 1.0, LIMITS, UNLIMITED)
    assert [line.head is not None for line in lines] == [True, True, False]


def test_what_nobody_waits_for_waits_longer() -> None:
    line = Line(CHAIN, 0, LIMITS)
    add(line, 0, now=0, urgent=False)
    seal_due([line], 299, LIMITS, UNLIMITED)
    assert line.head is None
    seal_due([line], 300, LIMITS, UNLIMITED)
    assert line.head is not None
    assert line.head.reason is FlushReason.IDLE


def test_an_urgent_record_takes_the_lazy_ones_before_it_along() -> None:
    line = Line(CHAIN, 0, LIMITS)
    add(line, 0, now=0, urgent=False)
    add(line, 1, now=10)
    seal_due([line], 11, LIMITS, UNLIMITED)
    assert line.head is not None
    assert line.head.records.offsets == [0, 1]


def test_the_time_until_a_line_is_due_is_that_of_its_oldest_record() -> None:
    lines = [Line(TopicPartition(name, 0), 0, LIMITS) for name in "ab"]
    assert seconds_until_due(lines, 0, LIMITS, UNLIMITED) == math.inf
    add(lines[0], 0, now=0, urgent=False)
    assert seconds_until_due(lines, 100, LIMITS, UNLIMITED) == 200
    add(lines[1], 0, now=100.25)
    assert seconds_until_due(lines, 100.5, LIMITS, UNLIMITED) == 0.75
    assert seconds_until_due(lines, 200, LIMITS, UNLIMITED) == 0


def test_all_lines_together_are_bounded() -> None:
    lines = [Line(TopicPartition(name, 0), 0, LIMITS) for name in "ab"]
    for line in lines:
        add(line, 0, urgent=False, size=1000)
    seal_due(lines, 0, LIMITS._replace(max_total_bytes=2 * RECORD_OVERHEAD_BYTES), UNLIMITED)
    assert [line.head is not None and line.head.reason for line in lines] == [FlushReason.MEMORY] * 2


def test_a_batch_of_rejects_alone_is_a_segment_too() -> None:
    line = Line(CHAIN, 0, LIMITS)
    line.reject(records(0, 1), ERROR, now=0.0)
    line.seal(FlushReason.AGE)
    [batch] = drain(line)
    assert (batch.shape, batch.schema_id, dict(batch.rejected)) == (None, 0, {0: ERROR, 1: ERROR})


def test_traces_are_taken_from_the_headers() -> None:
    line = Line(CHAIN, 0, LIMITS)
    headers = [[("traceparent", b"00-a-b-01"), ("other", b"x")], None, [("traceparent", b"00-a-b-01")]]
    line.add(Records([0, 1, 2], [None] * 3, [b""] * 3, headers), shape(), urgent=True, now=0.0)
    line.seal(FlushReason.AGE)
    [batch] = drain(line)
    assert batch.traceparents == ("00-a-b-01",)


def test_lines_without_budget_wait_together_for_it_and_no_longer_than_its_cap() -> None:
    budget = SegmentBudget(Budget(per_second=0.5, longest_seconds=4))
    budget.spend(2, 0.0)
    lines = [Line(TopicPartition(name, 0), 0, LIMITS) for name in "ab"]
    for line, now in zip(lines, (0.0, 0.5), strict=True):
        add(line, 0, now=now)
    assert seconds_until_due(lines, 0.0, LIMITS, budget) == 4.0
    assert seal_due(lines, 3.9, LIMITS, budget) is None
    assert not any(line.head for line in lines)
    assert seal_due(lines, 4.0, LIMITS, budget) == 4.0
    assert all(line.head for line in lines)
