"""A landing and a warehouse in memory, with the ways in which real ones trouble a load."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bank_common.landing.segments import SegmentKey, SegmentMetadata, TopicPartition
from bank_dags.loading.failures import LedgerBeyondLanding, LoadError
from bank_dags.loading.ports import FILES_PER_COPY, LedgerRow, LoadTransaction, PendingBuild
from bank_dags.loading.segments import Landed, Listed, LoadBatch, Tail, Tails

SHA = "0" * 64


def metadata(start: int, end: int, rows: int | None = None) -> SegmentMetadata:
    """A segment's metadata; default: one row per offset."""
    return SegmentMetadata("topic", start, end, end - start if rows is None else rows, 0, 7, SHA)


def landed(topic: str, partition: int, start: int, end: int, rows: int | None = None) -> Landed:
    """A landed segment."""
    return Landed(SegmentKey(topic, partition, start), metadata(start, end, rows))


@dataclass
class MemoryLanding:
    """A `LandingReader`; each segment takes one byte per offset. `faults` are raised where they belong."""

    segments: list[Landed] = field(default_factory=list)
    faults: dict[TopicPartition | SegmentKey | str, LoadError] = field(default_factory=dict)
    listings: int = 0
    landed_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def _raise_for(self, subject: TopicPartition | SegmentKey | str) -> None:
        if subject in self.faults:
            raise self.faults[subject]

    def chains(self, topic: str) -> Collection[TopicPartition]:
        self._raise_for(topic)
        return {segment.chain for segment in self.segments if segment.key.topic == topic}

    def after(self, chain: TopicPartition, tail: Tail | None, limit: int) -> Sequence[Listed]:
        self.listings += 1
        self._raise_for(chain)
        waiting = sorted(
            (segment for segment in self.segments if segment.chain == chain), key=lambda segment: segment.key
        )
        if tail is not None:
            if tail.landed and tail.start not in {segment.key.start for segment in waiting}:
                raise LoadError(LedgerBeyondLanding(chain, str(SegmentKey(*chain, tail.start))))
            waiting = [segment for segment in waiting if segment.key.start > tail.start]
        return [
            Listed(segment.key, segment.metadata.end - segment.metadata.start, self.landed_at)
            for segment in waiting[:limit]
        ]

    def metadata(self, key: SegmentKey) -> SegmentMetadata | None:
        return next((segment.metadata for segment in self.segments if segment.key == key), None)

    def fetch(self, key: SegmentKey, target: Path) -> SegmentMetadata:
        self._raise_for(key)
        known = self.metadata(key)
        assert known is not None
        target.write_bytes(b"x")
        return known


@dataclass
class MemoryWarehouse:
    """A `RawWarehouse` and its `LoadTransaction`. `rival` acts before the fence is ours, as an earlier load."""

    ledger: list[LedgerRow] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    fence: int = 0
    rival: Callable[["MemoryWarehouse"], None] = lambda _warehouse: None
    miscount: dict[str, int] = field(default_factory=dict)
    staged: list[str] = field(default_factory=list)
    built_load_id: int | None = None
    begun: int = 0
    _load_ids: dict[str, int] = field(default_factory=dict)

    def tails(self) -> Tails:
        rows = sorted(self.ledger, key=lambda row: row.start)
        return {row.chain: Tail(row.start, row.end, row.status == "loaded") for row in rows}

    def pending_build(self) -> PendingBuild:
        changed = [self._load_ids[row.segment] for row in self.ledger if row.changes_marts]
        return PendingBuild(max(changed, default=None), self.built_load_id)

    def stage(self, folder: Path, batch: LoadBatch, stage_path: str) -> None:
        files = [f"{topic}/{segment.file}" for topic, segments in batch.by_topic().items() for segment in segments]
        assert all((folder / file).exists() for file in files)
        self.staged.append(stage_path)

    def unstage(self, stage_path: str) -> None:
        self.staged.remove(stage_path)

    @contextmanager
    def transaction(self) -> Iterator[LoadTransaction]:
        self.begun += 1
        self.rival(self)
        before = (list(self.ledger), list(self.loaded), self.fence, dict(self._load_ids))
        try:
            yield self
        except BaseException:
            self.ledger, self.loaded, self.fence, self._load_ids = before
            raise

    def advance_fencing_token(self) -> int:
        self.fence += 1
        return self.fence

    def copy(self, topic: str, files: Sequence[str], stage_path: str) -> Mapping[str, int]:
        assert 0 < len(files) <= FILES_PER_COPY
        assert stage_path.removesuffix(f"/{topic}") in self.staged
        self.loaded += [f"{topic}/{file}" for file in files]
        return dict.fromkeys(files, 1 + self.miscount.get(topic, 0))

    def segments_with_counted_ends(self, segments: Sequence[Landed]) -> Collection[str]:
        return {str(segment.key) for segment in segments if segment.metadata.rejected == 0}

    def record(self, load_id: int, rows: Sequence[LedgerRow]) -> None:
        self.ledger += rows
        self._load_ids |= {row.segment: load_id for row in rows}


def ledger_row(segment: Landed) -> LedgerRow:
    """The row that a load of this segment leaves."""
    known = segment.metadata
    return LedgerRow(
        str(segment.key),
        segment.chain,
        known.start,
        known.end,
        known.rows,
        0,
        7,
        SHA,
        changes_marts=True,
        status="loaded",
    )
