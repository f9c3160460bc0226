"""The landing chains of a listing: their segments, gaps and overlaps. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from bank_common import names
from bank_common.landing.segments import ChainBreak, SegmentKey, SegmentMetadata, chain_breaks

ObjectEntry = tuple[str, Mapping[str, str]]
"""An object: its key and its user metadata."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The row of all segments of one topic partition, in the order of their start."""

    topic: str
    partition: int
    segments: tuple[SegmentMetadata, ...]

    @property
    def start(self) -> int:
        """The first offset that the chain covers."""
        return self.segments[0].start

    @property
    def end(self) -> int:
        """One past the last offset that the chain covers."""
        return self.segments[-1].end

    @property
    def rows(self) -> int:
        """The number of rows in all segments."""
        return sum(segment.rows for segment in self.segments)

    @property
    def rejected(self) -> int:
        """The number of dead letters in the ranges of all segments."""
        return sum(segment.rejected for segment in self.segments)

    @property
    def breaks(self) -> tuple[ChainBreak, ...]:
        """The gaps and overlaps; a whole chain has none."""
        return tuple(chain_breaks(self.segments))

    @property
    def topic_ids(self) -> frozenset[str]:
        """The topic ids in the metadata of the segments; two mean that the topic was deleted and created again."""
        return frozenset(segment.topic_id for segment in self.segments)


@dataclass(frozen=True, slots=True)
class LandingListing:
    """All objects of the bucket. `foreign_objects` are (key, reason): what is no readable segment."""

    chains: tuple[Chain, ...]
    foreign_objects: tuple[tuple[str, str], ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems of the landing, one sentence each; a healthy one has none."""
        problems = [
            f"{chain.topic}/{chain.partition}: {broken.kind} between {broken.end} and {broken.next_start}"
            for chain in self.chains
            for broken in chain.breaks
        ]
        problems += [
            f"{chain.topic}/{chain.partition}: segments of {len(chain.topic_ids)} different topics of that name"
            for chain in self.chains
            if len(chain.topic_ids) > 1
        ]
        problems += [f"{key}: {reason}" for key, reason in self.foreign_objects]
        return tuple(problems)

    @property
    def rows(self) -> int:
        """The number of landed rows of all captured tables."""
        tables = {table.topic for table in names.TABLES}
        return sum(chain.rows for chain in self.chains if chain.topic in tables)


def inspect(entries: Iterable[ObjectEntry]) -> LandingListing:
    """Group the objects of a bucket, given in any order, into chains."""
    foreign_objects: list[tuple[str, str]] = []
    segments: list[tuple[SegmentKey, SegmentMetadata]] = []
    for key, headers in entries:
        try:
            parsed, metadata = SegmentKey.parse(key), SegmentMetadata.from_headers(headers)
        except ValueError as error:
            foreign_objects.append((key, str(error)))
            continue
        if metadata.start != parsed.start:
            foreign_objects.append((key, f"its metadata says it starts at {metadata.start}"))
            continue
        segments.append((parsed, metadata))
    segments.sort(key=lambda segment: segment[0])
    grouped = groupby(segments, key=lambda segment: (segment[0].topic, segment[0].partition))
    chains = tuple(
        Chain(topic, partition, tuple(metadata for _, metadata in group)) for (topic, partition), group in grouped
    )
    return LandingListing(chains, tuple(foreign_objects))
