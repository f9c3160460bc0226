"""The line of one chain: what was read and is not stored yet. Pure: time comes in as an argument, in seconds.

    start ──────────────── stored up to here, the next segment starts here
      sealed batches, oldest first
      the open buffer
    end ────────────────── the next offset to read

Batches meet without gap or overlap whatever the order of calls: each starts where the one before it ended, and ends
one past the last record that Kafka delivered. Offsets without records (transaction markers) lie inside or between.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from bank_common.avro import Column
from cdc_consumer.events import Event
from cdc_consumer.topics import Chain, Kind

# Heap of one decoded record beside its bytes. Measured: 450 for five columns; rounded up for wider tables.
RECORD_OVERHEAD_BYTES: Final = 800
MAX_TRACEPARENTS: Final = 32


class Shape(NamedTuple):
    """What decides a segment's columns: one segment has one shape."""

    kind: Kind
    schema_id: int
    columns: tuple[Column, ...]


class Limits(NamedTuple):
    """When a line's buffer is closed, and how much all lines may hold together."""

    max_rows: int
    max_bytes: int
    max_total_bytes: int
    flush_seconds: float
    idle_flush_seconds: float


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
    """The content of one segment `[start, end)`: events with their offsets, never empty."""

    chain: Chain
    start: int
    end: int
    shape: Shape
    events: Sequence[Event]
    offsets: Sequence[int]
    traceparents: tuple[str, ...]
    size: int
    reason: FlushReason


@dataclass(slots=True)
class _Buffer:
    start: int
    shape: Shape | None = None
    events: list[Event] = field(default_factory=list[Event])
    offsets: list[int] = field(default_factory=list[int])
    traceparents: dict[str, None] = field(default_factory=dict[str, None])
    size: int = 0
    oldest: float | None = None
    oldest_urgent: float | None = None


class Line:
    """The records of one chain between its tail and the reader's position."""

    def __init__(self, chain: Chain, position: int, limits: Limits) -> None:
        self.chain = chain
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
    def head(self) -> Batch | None:
        """The batch to store next. It stays the same until `stored`, so that a retry creates the same object."""
        return self._sealed[0] if self._sealed else None

    def add(
        self,
        offset: int,
        event: Event,
        shape: Shape,
        *,
        size: int,
        urgent: bool,
        now: float,
        traceparent: str | None = None,
    ) -> None:
        """Take one record of `size` bytes; one from before the reader's position (a stale fetch) is ignored."""
        if offset < self._end:
            return
        if self._open.shape is not None and self._open.shape.schema_id != shape.schema_id:
            self.seal(FlushReason.SCHEMA)
        self._end = offset + 1
        buffer = self._open
        buffer.shape = shape
        buffer.events.append(event)
        buffer.offsets.append(offset)
        buffer.size += size + RECORD_OVERHEAD_BYTES
        if traceparent is not None and len(buffer.traceparents) < MAX_TRACEPARENTS:
            buffer.traceparents[traceparent] = None
        if buffer.oldest is None:
            buffer.oldest = now
        if urgent and buffer.oldest_urgent is None:
            buffer.oldest_urgent = now
        if len(buffer.events) >= self._limits.max_rows:
            self.seal(FlushReason.ROWS)
        elif buffer.size >= self._limits.max_bytes:
            self.seal(FlushReason.BYTES)

    def skip(self, offset: int) -> None:
        """A record that makes no row (a tombstone): it counts as read, and lies in some segment's range."""
        self._end = max(self._end, offset + 1)

    def seal(self, reason: FlushReason) -> None:
        """Close the open buffer into a batch; one without rows stays open, for a segment is never empty."""
        buffer = self._open
        if buffer.shape is None:
            return
        self._sealed.append(
            Batch(
                chain=self.chain,
                start=buffer.start,
                end=self._end,
                shape=buffer.shape,
                events=buffer.events,
                offsets=buffer.offsets,
                traceparents=tuple(buffer.traceparents),
                size=buffer.size,
                reason=reason,
            )
        )
        self._open = _Buffer(self._end)

    def stored(self) -> None:
        """The head is in the chain now."""
        self._sealed.popleft()


def seal_due(lines: Iterable[Line], now: float, limits: Limits) -> None:
    """Seal every buffer whose time has come.

    When one line's urgent records are old enough, all lines that hold urgent records are sealed: the records of one
    source transaction lie on several lines and become whole together. Records that nobody waits for (BEGIN, heartbeats)
    wait much longer, so that a quiet bank causes no loads.
    """
    lines = list(lines)
    if sum(line.size for line in lines) > limits.max_total_bytes:
        for line in lines:
            line.seal(FlushReason.MEMORY)
        return
    urgent = [line for line in lines if line.oldest_urgent is not None]
    if any(_older(line.oldest_urgent, now, limits.flush_seconds) for line in urgent):
        for line in urgent:
            line.seal(FlushReason.AGE)
    for line in lines:
        if _older(line.oldest, now, limits.idle_flush_seconds):
            line.seal(FlushReason.IDLE)


def _older(since: float | None, now: float, seconds: float) -> bool:
    return since is not None and now - since >= seconds
