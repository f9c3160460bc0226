"""The buffer of one partition: the records that were read and are not stored yet. Pure; times are seconds.

    start ──────────────── the end of the chain: the next segment starts here
      sealed batches, oldest first
      the open batch
    end ────────────────── the next offset to read

Batches have no gap and no overlap, whatever the order of calls: each starts where the one before it ended, and ends
one past the last record that Kafka delivered. Offsets without a record (transaction markers) may lie in a batch.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, NamedTuple

from bank_common.envelope.avro import Column
from bank_common.envelope.events import DecodeError
from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing.segments import SegmentKey, TopicPartition
from bank_common.runtime.tracing import TRACEPARENT
from cdc_consumer.model.flush_limits import FlushLimits, FlushReason
from cdc_consumer.model.records import Records, header

# Heap of one raw record beside its bytes: two bytes objects, an offset, four list entries; and what the allocator
# rounds up. The arrays that a batch becomes when it is stored exist for one batch at a time.
RECORD_OVERHEAD_BYTES: Final = 160
MAX_TRACEPARENTS: Final = 32


class ValueSchema(NamedTuple):
    """The schema of record values, which decides the columns of a segment: all its rows have one value schema."""

    kind: TopicKind
    schema_id: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class SegmentBatch:
    """The raw records of one segment `[start, end)`, at least one.

    `rejected` are the indexes of the records that are known to be undecodable; decoding may reject more of them.
    `value_schema` is None when all of them are rejected.
    """

    topic_partition: TopicPartition
    start: int
    end: int
    value_schema: ValueSchema | None
    records: Records
    rejected: Mapping[int, DecodeError]
    traceparents: tuple[str, ...]
    size: int
    reason: FlushReason

    @property
    def key(self) -> SegmentKey:
        """The key of the segment: its start decides it."""
        return SegmentKey(self.topic_partition.topic, self.topic_partition.partition, self.start)

    @property
    def schema_id(self) -> int:
        """The schema of the rows; 0 when no record has one."""
        return self.value_schema.schema_id if self.value_schema else 0


@dataclass(slots=True)
class _OpenBatch:
    start: int
    value_schema: ValueSchema | None = None
    records: Records = field(default_factory=Records)
    rejected: dict[int, DecodeError] = field(default_factory=dict[int, DecodeError])
    traceparents: dict[str, None] = field(default_factory=dict[str, None])
    size: int = 0
    oldest: float | None = None
    oldest_urgent: float | None = None

    def note_traces(self, records: Records) -> None:
        """Remember the trace contexts of these records, up to a limit."""
        for headers in records.headers:
            traceparent = header(headers, TRACEPARENT)
            if traceparent is not None:
                self.traceparents[traceparent.decode("ascii", "ignore")] = None
                if len(self.traceparents) == MAX_TRACEPARENTS:
                    return


class PartitionBuffer:
    """The records of one partition between the end of its chain and the position of the consumer."""

    def __init__(self, topic_partition: TopicPartition, position: int, limits: FlushLimits) -> None:
        self.topic_partition = topic_partition
        self._limits = limits
        self._sealed: deque[SegmentBatch] = deque()
        self._open = _OpenBatch(position)
        self._end = position

    @property
    def start(self) -> int:
        """The end of the chain: where the next segment starts."""
        return self._sealed[0].start if self._sealed else self._open.start

    @property
    def end(self) -> int:
        """The next offset to read: one past the last delivered record."""
        return self._end

    @property
    def size(self) -> int:
        """The memory that the buffer takes, in bytes (estimated)."""
        return self._open.size + sum(batch.size for batch in self._sealed)

    @property
    def oldest(self) -> float | None:
        """When the oldest record of the open batch came."""
        return self._open.oldest

    @property
    def oldest_urgent(self) -> float | None:
        """When the oldest urgent record of the open batch came."""
        return self._open.oldest_urgent

    @property
    def written(self) -> float | None:
        """When Kafka got the oldest record that is not stored, in seconds since 1970."""
        return self._sealed[0].records.written if self._sealed else self._open.records.written

    @property
    def head(self) -> SegmentBatch | None:
        """The batch to store next. It stays the same until `stored`, so that a retry creates the same object."""
        return self._sealed[0] if self._sealed else None

    def add(self, records: Records, value_schema: ValueSchema, *, urgent: bool, now: float) -> None:
        """Add records of one schema. Those before `end` (a stale fetch) are ignored."""
        records = records.since(self._end)
        if records.count and self._open.value_schema not in (None, value_schema):
            self.seal(FlushReason.SCHEMA)
        while records.count:
            self._open.value_schema = value_schema
            records = self._append(records, urgent, now)

    def reject(self, records: Records, error: DecodeError, *, now: float) -> None:
        """Add undecodable records: they make no row, and the footer of their segment names their offsets."""
        records = records.since(self._end)
        while records.count:
            first = self._open.records.count
            count, _ = self._room(records)
            self._open.rejected |= dict.fromkeys(range(first, first + count), error)
            records = self._append(records, True, now)

    def skip(self, records: Records) -> None:
        """Pass over tombstones: they make no row, and the range of a segment covers them."""
        if records.count:
            self._end = max(self._end, records.offsets[-1] + 1)

    def seal(self, reason: FlushReason) -> None:
        """Seal the open batch. An empty one stays open, for a segment is never empty."""
        open_batch = self._open
        if not open_batch.records.count:
            return
        self._sealed.append(
            SegmentBatch(
                topic_partition=self.topic_partition,
                start=open_batch.start,
                end=self._end,
                value_schema=open_batch.value_schema,
                records=open_batch.records,
                rejected=open_batch.rejected,
                traceparents=tuple(open_batch.traceparents),
                size=open_batch.size,
                reason=reason,
            )
        )
        self._open = _OpenBatch(self._end)

    def _append(self, records: Records, urgent: bool, now: float) -> Records:
        """Add as many records as fit, seal a full batch, and return the remaining records."""
        open_batch = self._open
        count, size = self._room(records)
        added = records.part(0, count)
        open_batch.records.extend(added)
        open_batch.size += size
        if any(added.headers) and len(open_batch.traceparents) < MAX_TRACEPARENTS:
            open_batch.note_traces(added)
        self._end = added.offsets[-1] + 1
        if open_batch.oldest is None:
            open_batch.oldest = now
        if urgent and open_batch.oldest_urgent is None:
            open_batch.oldest_urgent = now
        if open_batch.records.count >= self._limits.max_rows:
            self.seal(FlushReason.ROWS)
        elif open_batch.size >= self._limits.max_bytes:
            self.seal(FlushReason.BYTES)
        return records.part(added.count, records.count)

    def _room(self, records: Records) -> tuple[int, int]:
        """How many of the records go into the open batch, at least one, and their size."""
        fit = records.part(0, self._limits.max_rows - self._open.records.count)
        room, size = self._limits.max_bytes - self._open.size, _size(fit)
        if size <= room:
            return fit.count, size
        sizes = list(accumulate(_size(fit.part(index, index + 1)) for index in range(fit.count)))
        count = bisect_left(sizes, room) + 1
        return count, sizes[count - 1]

    def stored(self) -> None:
        """Drop the head: it is in the chain now."""
        self._sealed.popleft()


def _size(records: Records) -> int:
    """The memory that records take, in bytes."""
    keys, values = filter(None, records.keys), filter(None, records.values)
    return sum(map(len, keys)) + sum(map(len, values)) + records.count * RECORD_OVERHEAD_BYTES
