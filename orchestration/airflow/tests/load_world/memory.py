"""A landing and a warehouse in memory, with the ways in which real ones trouble a load."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bank_common.landing import SegmentKey, SegmentMetadata
from bank_dags.loading.ports import FILES_PER_COPY, LedgerRow, Standing, Transaction
from bank_dags.loading.reasons import LedgerBeyondLanding, LoadError
from bank_dags.loading.segments import Batch, Chain, Landed, Listed, Tail, Tails

SHA = "0" * 64


def metadata(start: int, end: int, rows: int | None = None) -> SegmentMetadata:
    """A segment's metadata; default: one row per offset."""
    return SegmentMetadata("topic", start, end, end - start if rows is None else rows, 0, 7, SHA)


def landed(topic: str, partition: int, start: int, end: int, rows: int | None = None) -> Landed:
    """A landed segment."""
    return Landed(SegmentKey(topic, partition, start), metadata(start, end, rows))


@dataclass
class MemoryLanding:
    """A `Landing`; each segment takes one byte per offset. `faults` are raised where they belong."""

    segments: list[Landed] = field(default_factory=list)
    faults: dict[Chain | SegmentKey | str, LoadError] = field(default_factory=dict)
    listings: int = 0
    landed_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def _raise_for(self, place: Chain | SegmentKey | str) -> None:
        if place in self.faults:
            raise self.faults[place]

    def chains(self, topic: str) -> Collection[Chain]:
        self._raise_for(topic)
        return {segment.chain for segment in self.segments if segment.key.topic == topic}

    def after(self, chain: Chain, tail: Tail | None, limit: int) -> Sequence[Listed]:
        self.listings += 1
        self._raise_for(chain)
        found = sorted((each for each in self.segments if each.chain == chain), key=lambda each: each.key)
        if tail is not None:
            if tail.landed and tail.start not in {each.key.start for each in found}:
                raise LoadError(LedgerBeyondLanding(chain, str(SegmentKey(*chain, tail.start))))
            found = [each for each in found if each.key.start > tail.start]
        return [Listed(each.key, each.metadata.end - each.metadata.start, self.landed_at) for each in found[:limit]]

    def metadata(self, key: SegmentKey) -> SegmentMetadata | None:
        return next((each.metadata for each in self.segments if each.key == key), None)

    def fetch(self, key: SegmentKey, target: Path) -> SegmentMetadata:
        self._raise_for(key)
        found = self.metadata(key)
        assert found is not None
        target.write_bytes(b"x")
        return found


@dataclass
class MemoryWarehouse:
    """A `Warehouse` and its `Transaction`. `rival` acts before the fence is ours, as a load that had it first."""

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

    def standing(self) -> Standing:
        changed = [self._load_ids[row.segment] for row in self.ledger if row.changes_marts]
        return Standing(max(changed, default=None), self.built_load_id)

    def stage(self, folder: Path, batch: Batch, stage_path: str) -> None:
        files = [f"{topic}/{each.file}" for topic, segments in batch.by_topic().items() for each in segments]
        assert all((folder / file).exists() for file in files)
        self.staged.append(stage_path)

    def unstage(self, stage_path: str) -> None:
        self.staged.remove(stage_path)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        self.begun += 1
        self.rival(self)
        before = (list(self.ledger), list(self.loaded), self.fence, dict(self._load_ids))
        try:
            yield self
        except BaseException:
            self.ledger, self.loaded, self.fence, self._load_ids = before
            raise

    def raise_fence(self) -> int:
        self.fence += 1
        return self.fence

    def copy(self, topic: str, files: Sequence[str], stage_path: str) -> Mapping[str, int]:
        assert 0 < len(files) <= FILES_PER_COPY
        assert stage_path.removesuffix(f"/{topic}") in self.staged
        self.loaded += [f"{topic}/{file}" for file in files]
        return dict.fromkeys(files, 1 + self.miscount.get(topic, 0))

    def segments_with_counted_ends(self, segments: Sequence[Landed]) -> Collection[str]:
        return {str(each.key) for each in segments if each.metadata.rejected == 0}

    def record(self, load_id: int, rows: Sequence[LedgerRow]) -> None:
        self.ledger += rows
        self._load_ids |= {row.segment: load_id for row in rows}


def ledger_row(segment: Landed) -> LedgerRow:
    """The row that a load of this segment leaves."""
    found = segment.metadata
    return LedgerRow(
        str(segment.key),
        segment.chain,
        found.start,
        found.end,
        found.rows,
        0,
        7,
        SHA,
        changes_marts=True,
        status="loaded",
    )
