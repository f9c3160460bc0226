"""The line of one chain: what was read and is not stored yet. Pure: time comes in as an argument, in seconds.

    start ──────────────── stored up to here, the next segment starts here
      sealed batches, oldest first
      the open buffer
    end ────────────────── the next offset to read

Batches meet without gap or overlap whatever the order of calls: each starts where the one before it ended, and ends
one past the last record that Kafka delivered. Offsets without records (transaction markers) lie inside or between.
"""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate
from typing import Final, NamedTuple

from bank_common.avro import Column
from bank_common.landing import TopicPartition
from bank_common.tracing import TRACEPARENT
from cdc_consumer.events import DecodeError
from cdc_consumer.records import Headers, Records, header
from cdc_consumer.segment_budget import Budget, SegmentBudget
from cdc_consumer.topics import TopicKind

# Heap of one raw record beside its bytes: two bytes objects, an offset, four list entries; and what the allocator
# rounds up. The arrays that a batch becomes when it is stored exist for one batch at a time.
RECORD_OVERHEAD_BYTES: Final = 160
MAX_TRACEPARENTS: Final = 32


class Shape(NamedTuple):
    """What decides a segment's columns: one segment has one shape."""

    kind: TopicKind
    schema_id: int
    columns: tuple[Column, ...]


class Limits(NamedTuple):
    """When a line's buffer is closed, and how much all lines may hold together."""

    max_rows: int
    max_bytes: int
    max_total_bytes: int
    flush_seconds: float
    idle_flush_seconds: float
    budget: Budget = Budget()


class FlushReason(Enum):
    """Why a batch is stored now."""

    ROWS = "rows"
    BYTES = "bytes"
    SCHEMA = "schema"
    AGE = "age"
    IDLE = "idle"
    MEMORY = "memory"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Batch:
    """The content of one segment `[start, end)`: raw records, never none.

    `rejected` are the places of those that are known to be undecodable; decoding the others may reject more of them.
    `shape` is None when there are no others.
    """

    topic_partition: TopicPartition
    start: int
    end: int
    shape: Shape | None
    records: Records
    rejected: Mapping[int, DecodeError]
    traceparents: tuple[str, ...]
    size: int
    reason: FlushReason
    written: float | None

    @property
    def schema_id(self) -> int:
        """The schema of the rows; 0 when no record has one."""
        return self.shape.schema_id if self.shape else 0


@dataclass(slots=True)
class _Buffer:
    start: int
    shape: Shape | None = None
    offsets: list[int] = field(default_factory=list[int])
    keys: list[bytes | None] = field(default_factory=list[bytes | None])
    values: list[bytes | None] = field(default_factory=list[bytes | None])
    headers: list[Headers | None] = field(default_factory=list[Headers | None])
    rejected: dict[int, DecodeError] = field(default_factory=dict[int, DecodeError])
    traceparents: dict[str, None] = field(default_factory=dict[str, None])
    size: int = 0
    written: float | None = None
    oldest: float | None = None
    oldest_urgent: float | None = None

    def note_traces(self, records: Records) -> None:
        """Remember whose traces these records belong to, up to a limit."""
        for headers in records.headers:
            found = header(headers, TRACEPARENT)
            if found is not None:
                self.traceparents[found.decode("ascii", "ignore")] = None
                if len(self.traceparents) == MAX_TRACEPARENTS:
                    return


class Line:
    """The records of one chain between its tail and the reader's position."""

    def __init__(self, topic_partition: TopicPartition, position: int, limits: Limits) -> None:
        self.topic_partition = topic_partition
        self._limits = limits
        self._sealed: deque[Batch] = deque()
        self._open = _Buffer(position)
        self._end = position

    @property
    def start(self) -> int:
        """The chain's end: where the next segment starts."""
        return self._sealed[0].start if self._sealed else self._open.start

    @property
    def end(self) -> int:
        """The next offset to read: one past the last delivered record."""
        return self._end

    @property
    def size(self) -> int:
        """The memory that the line holds, in bytes (estimated)."""
        return self._open.size + sum(batch.size for batch in self._sealed)

    @property
    def oldest(self) -> float | None:
        """When the oldest record of the open buffer came."""
        return self._open.oldest

    @property
    def oldest_urgent(self) -> float | None:
        """When the oldest record that somebody waits for came to the open buffer."""
        return self._open.oldest_urgent

    @property
    def written(self) -> float | None:
        """When Kafka got the oldest record that is not stored, in seconds since 1970."""
        return self._sealed[0].written if self._sealed else self._open.written

    @property
    def head(self) -> Batch | None:
        """The batch to store next. It stays the same until `stored`, so that a retry creates the same object."""
        return self._sealed[0] if self._sealed else None

    def add(self, records: Records, shape: Shape, *, urgent: bool, now: float) -> None:
        """Take records of one schema; those from before the reader's position (a stale fetch) are ignored."""
        records = records.since(self._end)
        if records.count and self._open.shape not in (None, shape):
            self.seal(FlushReason.SCHEMA)
        while records.count:
            self._open.shape = shape
            records = self._append(records, urgent, now)

    def reject(self, records: Records, error: DecodeError, *, now: float) -> None:
        """Take records that can't be decoded: they make no row, and their segment tells of them."""
        records = records.since(self._end)
        while records.count:
            first = len(self._open.offsets)
            count, _ = self._room(records)
            self._open.rejected |= dict.fromkeys(range(first, first + count), error)
            records = self._append(records, True, now)

    def skip(self, records: Records) -> None:
        """Records that make no row (tombstones): they count as read, and lie in some segment's range."""
        if records.count:
            self._end = max(self._end, records.offsets[-1] + 1)

    def seal(self, reason: FlushReason) -> None:
        """Close the open buffer into a batch; one without records stays open, for a segment is never empty."""
        buffer = self._open
        if not buffer.offsets:
            return
        self._sealed.append(
            Batch(
                topic_partition=self.topic_partition,
                start=buffer.start,
                end=self._end,
                shape=buffer.shape,
                records=Records(buffer.offsets, buffer.keys, buffer.values, buffer.headers),
                rejected=buffer.rejected,
                traceparents=tuple(buffer.traceparents),
                size=buffer.size,
                reason=reason,
                written=buffer.written,
            )
        )
        self._open = _Buffer(self._end)

    def _append(self, records: Records, urgent: bool, now: float) -> Records:
        """Take as many records as fit, seal a full buffer, and give what is left."""
        buffer = self._open
        count, size = self._room(records)
        taken = records.part(0, count)
        buffer.offsets += taken.offsets
        buffer.keys += taken.keys
        buffer.values += taken.values
        buffer.headers += taken.headers
        buffer.size += size
        if any(taken.headers) and len(buffer.traceparents) < MAX_TRACEPARENTS:
            buffer.note_traces(taken)
        self._end = taken.offsets[-1] + 1
        if buffer.oldest is None:
            buffer.oldest, buffer.written = now, taken.written
        if urgent and buffer.oldest_urgent is None:
            buffer.oldest_urgent = now
        if len(buffer.offsets) >= self._limits.max_rows:
            self.seal(FlushReason.ROWS)
        elif buffer.size >= self._limits.max_bytes:
            self.seal(FlushReason.BYTES)
        return records.part(taken.count, records.count)

    def _room(self, records: Records) -> tuple[int, int]:
        """How many of the records go into the open buffer, at least one, and their size."""
        fit = records.part(0, self._limits.max_rows - len(self._open.offsets))
        room, size = self._limits.max_bytes - self._open.size, _size(fit)
        if size <= room:
            return fit.count, size
        sizes = list(accumulate(_size(fit.part(place, place + 1)) for place in range(fit.count)))
        count = bisect_left(sizes, room) + 1
        return count, sizes[count - 1]

    def stored(self) -> None:
        """The head is in the chain now."""
        self._sealed.popleft()


def seal_due(lines: Iterable[Line], now: float, limits: Limits, budget: SegmentBudget) -> float | None:
    """Seal every buffer whose time has come.

    When one line's urgent records are old enough and the budget has a segment for each line that holds such, all of
    these are sealed: the records of one source transaction lie on several lines and become whole together. Records that
    nobody waits for (BEGIN, heartbeats) wait much longer, so that a quiet bank causes no loads.

    Gives how long the oldest urgent record has waited, in seconds, if such were sealed for their age.
    """
    lines = list(lines)
    if sum(line.size for line in lines) > limits.max_total_bytes:
        for line in lines:
            line.seal(FlushReason.MEMORY)
        return None
    waited: float | None = None
    if now >= _urgent_at(lines, now, limits, budget):
        waited = now - min(line.oldest_urgent for line in lines if line.oldest_urgent is not None)
        for line in lines:
            if line.oldest_urgent is not None:
                line.seal(FlushReason.AGE)
    for line in lines:
        if now >= _idle_at(line, limits):
            line.seal(FlushReason.IDLE)
    return waited


def seconds_until_due(lines: Iterable[Line], now: float, limits: Limits, budget: SegmentBudget) -> float:
    """How long no buffer is due; infinite when all are empty."""
    lines = list(lines)
    idle = min((_idle_at(line, limits) for line in lines), default=math.inf)
    return max(0.0, min(_urgent_at(lines, now, limits, budget), idle) - now)


def _urgent_at(lines: Iterable[Line], now: float, limits: Limits, budget: SegmentBudget) -> float:
    """When the lines that hold urgent records are due."""
    since = [line.oldest_urgent for line in lines if line.oldest_urgent is not None]
    return budget.flush_at(min(since), limits.flush_seconds, len(since), now) if since else math.inf


def _idle_at(line: Line, limits: Limits) -> float:
    return math.inf if line.oldest is None else line.oldest + limits.idle_flush_seconds


def _size(records: Records) -> int:
    """The memory that records take, in bytes."""
    keys, values = filter(None, records.keys), filter(None, records.values)
    return sum(map(len, keys)) + sum(map(len, values)) + records.count * RECORD_OVERHEAD_BYTES
