"""Segments that wait in the landing, the ledger's tails, and the batch that one transaction loads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bank_common.landing.segments import SegmentKey, SegmentMetadata, TopicPartition
from bank_common.names import RAW_TABLE_BY_TOPIC


@dataclass(frozen=True, slots=True)
class Tail:
    """The last ledger row of a chain: `[start, end)`. `landed` is False for a range that was skipped on record."""

    start: int
    end: int
    landed: bool = True


Tails = Mapping[TopicPartition, Tail]
"""The ledger's tails; a chain that nothing was loaded from is absent."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A segment as a listing shows it; `landed_at` is the store's Last-Modified."""

    key: SegmentKey
    size: int
    landed_at: datetime

    @property
    def chain(self) -> TopicPartition:
        """The chain that it belongs to."""
        return TopicPartition(self.key.topic, self.key.partition)


@dataclass(frozen=True, slots=True)
class Landed:
    """A segment with what its object's metadata says of it."""

    key: SegmentKey
    metadata: SegmentMetadata

    @property
    def chain(self) -> TopicPartition:
        """The chain that it belongs to."""
        return TopicPartition(self.key.topic, self.key.partition)

    @property
    def raw_table(self) -> str:
        """The RAW table that its rows belong in."""
        return RAW_TABLE_BY_TOPIC[self.key.topic]

    @property
    def file(self) -> str:
        """The file's name in its topic's folder on the stage: see `staged_file`."""
        return staged_file(self.key)


def staged_file(key: SegmentKey) -> str:
    """`<partition:04d>-<start:020d>.parquet`: partitions of one topic may hold the same start."""
    return f"{key.partition:04d}-{key.start:020d}.parquet"


@dataclass(frozen=True, slots=True)
class LoadBatch:
    """The batch of one transaction: segments in chain order, and the tails that the choice rests on."""

    segments: tuple[Landed, ...]
    tails: Tails

    @property
    def rows(self) -> int:
        """Rows of all segments."""
        return sum(segment.metadata.rows for segment in self.segments)

    def by_topic(self) -> Mapping[str, list[Landed]]:
        """The segments that have rows, by topic, in chain order."""
        segments: dict[str, list[Landed]] = {}
        for segment in self.segments:
            if segment.metadata.rows:
                segments.setdefault(segment.key.topic, []).append(segment)
        return segments
