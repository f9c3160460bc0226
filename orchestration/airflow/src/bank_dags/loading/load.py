"""The load (GUARANTEES, M4): everything landed and not in the ledger, one Snowflake transaction per batch."""

import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from bank_common.landing import SegmentKey
from bank_common.names import TRANSACTION_TOPIC
from bank_dags.loading.plan import Backlog, Limits, arrange, choose, still_holds
from bank_dags.loading.ports import FILES_PER_COPY, Checkpoint, Landing, LedgerRow, Transaction, Warehouse
from bank_dags.loading.reasons import ForeignObject, LedgerBeyondLanding, LoadError, Overtaken, RowsDiffer
from bank_dags.loading.segments import Batch, Chain, Landed, Listed, Tails

log = structlog.get_logger(__name__)

REPLANS: Final = 5
"""How often in a row a load lets others pass before it leaves the rest to the next run."""


@dataclass(frozen=True, slots=True)
class Committed:
    """One committed batch."""

    load_id: int
    segments: int
    rows: int
    changes_marts: bool
    traceparents: tuple[str, ...]


def _never_stop(_point: str) -> None:
    """The checkpoint of production: nothing happens."""


class Loader:
    """Loads batches until landing minus ledger is empty. Holds at most `limits.max_bytes` on disk."""

    def __init__(
        self,
        landing: Landing,
        warehouse: Warehouse,
        limits: Limits,
        threads: int = 4,
        checkpoint: Checkpoint = _never_stop,
    ) -> None:
        self._landing = landing
        self._warehouse = warehouse
        self._limits = limits
        self._threads = threads
        self._checkpoint = checkpoint

    def run(self) -> Iterator[Committed]:
        """Load batch after batch, giving each as soon as it is committed; ends when nothing is left.

        Raises:
            LoadError: the batch in hand was rolled back; those given before it stay.
        """
        overtaken = 0
        with ThreadPoolExecutor(self._threads, thread_name_prefix="landing") as pool:
            while batch := self._next_batch(pool):
                committed = self._load(batch, pool)
                if committed is not None:
                    overtaken = 0
                    yield committed
                    continue
                overtaken += 1
                log.info("load_overtaken", attempt=overtaken)
                if overtaken == REPLANS:
                    raise LoadError(Overtaken(overtaken))

    # -- plan ------------------------------------------------------------------------------------------------------

    def _next_batch(self, pool: ThreadPoolExecutor) -> Batch | None:
        tails = self._warehouse.tails()
        chosen = choose(self._backlog(tails, pool), self._limits)
        if not chosen:
            return None
        return arrange(pool.map(self._read, (segment.key for segment in chosen)), tails)

    def _backlog(self, tails: Tails, pool: ThreadPoolExecutor) -> Backlog:
        landed = set(self._landing.chains())
        for chain, tail in tails.items():
            if chain not in landed and tail.landed:
                raise LoadError(LedgerBeyondLanding(chain, str(SegmentKey(*chain, tail.start))))

        def waiting(chain: Chain) -> tuple[Chain, Sequence[Listed]]:
            return chain, self._landing.after(chain, tails.get(chain), self._limits.max_segments)

        return dict(pool.map(waiting, sorted(landed)))

    def _read(self, key: SegmentKey) -> Landed:
        metadata = self._landing.metadata(key)
        if metadata is None:
            raise LoadError(ForeignObject(str(key), "it was listed and is gone"))
        if metadata.start != key.start:
            raise LoadError(ForeignObject(str(key), f"its metadata says that it starts at {metadata.start}"))
        return Landed(key, metadata)

    # -- load ------------------------------------------------------------------------------------------------------

    def _load(self, batch: Batch, pool: ThreadPoolExecutor) -> Committed | None:
        """Stage, then commit. None when the ledger moved under the plan (rolled back; plan again)."""
        stage_path = f"load-{uuid.uuid4().hex}"  # the load's id is known inside the transaction only
        staged = batch.by_topic()
        try:
            if staged:
                with tempfile.TemporaryDirectory(prefix="bank-load-") as folder:
                    self._fetch(batch, Path(folder), pool)
                    self._warehouse.stage(Path(folder), batch, stage_path)
            return self._commit(batch, stage_path)
        finally:
            if staged:
                self._warehouse.unstage(stage_path)

    def _fetch(self, batch: Batch, folder: Path, pool: ThreadPoolExecutor) -> None:
        wanted: list[tuple[Landed, Path]] = []
        for topic, segments in batch.by_topic().items():
            for segment in segments:
                target = folder / topic / segment.file
                target.parent.mkdir(parents=True, exist_ok=True)
                wanted.append((segment, target))
        for _ in pool.map(lambda pair: self._landing.fetch(*pair), wanted):
            pass

    def _commit(self, batch: Batch, stage_path: str) -> Committed | None:
        try:
            with self._warehouse.transaction() as transaction:
                load_id = transaction.raise_fence()
                if not still_holds(batch, transaction.tails()):
                    raise _MovedError
                self._copy(transaction, batch, stage_path)
                self._checkpoint("copied")
                rows = ledger_rows(batch, _counted_ends(transaction, batch))
                transaction.record(load_id, rows)
                self._checkpoint("recorded")
        except _MovedError:
            return None
        self._checkpoint("committed")
        changes = any(row.changes_marts for row in rows)
        log.info("load_committed", load_id=load_id, segments=len(rows), rows=batch.rows, changes_marts=changes)
        found = (segment.metadata.traceparent for segment in batch.segments)
        return Committed(load_id, len(rows), batch.rows, changes, tuple(sorted({each for each in found if each})))

    def _copy(self, transaction: Transaction, batch: Batch, stage_path: str) -> None:
        for topic, segments in batch.by_topic().items():
            for first in range(0, len(segments), FILES_PER_COPY):
                group = segments[first : first + FILES_PER_COPY]
                loaded = transaction.copy(topic, [segment.file for segment in group], f"{stage_path}/{topic}")
                check_rows(group, loaded)


class _MovedError(Exception):
    """The ledger is not the plan's any more; leaving the transaction by an error rolls it back."""


def check_rows(segments: Sequence[Landed], loaded: Mapping[str, int]) -> None:
    """Compare what COPY says of each file with what each segment says of itself.

    Raises:
        LoadError: RowsDiffer for the first segment that differs, or that COPY does not mention.
    """
    for segment in segments:
        found = loaded.get(segment.file, 0)
        if found != segment.metadata.rows:
            raise LoadError(RowsDiffer(str(segment.key), segment.metadata.rows, found))


def _counted_ends(transaction: Transaction, batch: Batch) -> frozenset[str]:
    ends = batch.by_topic().get(TRANSACTION_TOPIC, [])
    return frozenset(transaction.segments_with_counted_ends(ends)) if ends else frozenset()


def ledger_rows(batch: Batch, counted_ends: frozenset[str]) -> list[LedgerRow]:
    """The ledger's rows of a batch; `counted_ends` are the segments with an END that counts a RAW table (M10)."""
    return [
        LedgerRow(
            segment=str(segment.key),
            chain=segment.chain,
            start=segment.metadata.start,
            end=segment.metadata.end,
            rows=segment.metadata.rows,
            rejected=segment.metadata.rejected,
            schema_id=segment.metadata.schema_id,
            sha256=segment.metadata.sha256,
            changes_marts=_changes_marts(segment, counted_ends),
            status="loaded",
        )
        for segment in batch.segments
    ]


def _changes_marts(segment: Landed, counted_ends: frozenset[str]) -> bool:
    """Rows of a table and of a snapshot's progress do; BEGIN and the heartbeat's END do not."""
    if segment.key.topic == TRANSACTION_TOPIC:
        return str(segment.key) in counted_ends
    return segment.metadata.rows > 0
