"""What the load reasons about: chains, the ledger's tails, and segments that wait in the landing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bank_common.landing import SegmentKey, SegmentMetadata
from bank_common.names import RAW_TABLE_BY_TOPIC


class Chain(NamedTuple):
    """One (topic, partition)."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True)
class Tail:
    """The last ledger row of a chain: `[start, end)`. `landed` is False for a range that was skipped on record."""

    start: int
    end: int
    landed: bool = True


Tails = Mapping[Chain, Tail]
"""The ledger's tails; a chain that nothing was loaded from is absent."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A segment as a listing shows it; `landed_at` is the store's Last-Modified."""

    key: SegmentKey
    size: int
    landed_at: datetime

    @property
    def chain(self) -> Chain:
        """The chain that it belongs to."""
        return Chain(self.key.topic, self.key.partition)


@dataclass(frozen=True, slots=True)
class Landed:
    """A segment with what its object's metadata says of it."""

    key: SegmentKey
    metadata: SegmentMetadata

    @property
    def chain(self) -> Chain:
        """The chain that it belongs to."""
        return Chain(self.key.topic, self.key.partition)

    @property
    def raw_table(self) -> str:
        """The RAW table that its rows belong in."""
        return RAW_TABLE_BY_TOPIC[self.key.topic]

    @property
    def file(self) -> str:
        """Its name in its topic's folder on the stage: see `staged_file`."""
        return staged_file(self.key)


def staged_file(key: SegmentKey) -> str:
    """`<partition:04d>-<start:020d>.parquet`: partitions of one topic may hold the same start."""
    return f"{key.partition:04d}-{key.start:020d}.parquet"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction loads: segments in chain order, and the tails that the choice rests on."""

    segments: tuple[Landed, ...]
    tails: Tails

    @property
    def rows(self) -> int:
        """Rows of all segments."""
        return sum(segment.metadata.rows for segment in self.segments)

    def by_topic(self) -> Mapping[str, list[Landed]]:
        """The segments that have rows, by topic, in chain order."""
        found: dict[str, list[Landed]] = {}
        for segment in self.segments:
            if segment.metadata.rows:
                found.setdefault(segment.key.topic, []).append(segment)
        return found
