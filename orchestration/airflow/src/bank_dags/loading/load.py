"""The load: what landed and is not in the ledger, one Snowflake transaction per batch, for a bounded time."""

import math
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from bank_common.landing.segments import SegmentKey, TopicPartition
from bank_common.names import RAW_TABLE_BY_TOPIC, TRANSACTION_TOPIC
from bank_common.runtime.failpoints import FailpointHandler, no_failpoint
from bank_dags.loading.failpoints import Failpoint
from bank_dags.loading.failures import (
    OF_ONE_CHAIN,
    OF_ONE_TOPIC,
    CopyRefused,
    LedgerBeyondLanding,
    LoadError,
    Overtaken,
    RowsDiffer,
)
from bank_dags.loading.load_plan import Halted, LoadLimits, LoadPlan, arrange, still_holds
from bank_dags.loading.ports import (
    FILES_PER_COPY,
    LandingReader,
    LedgerRow,
    LoadTransaction,
    RawWarehouse,
)
from bank_dags.loading.segments import Landed, Listed, LoadBatch, Tails, staged_file

log = structlog.get_logger(__name__)

LISTED_PER_CHAIN: Final = 1000
"""Segments that a listing takes of one chain, one page of the store."""
REPLANS: Final = 5
"""How often in a row a load lets others pass before it leaves the rest to the next run."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A committed batch."""

    load_id: int
    segments: int
    rows: int
    changes_marts: bool
    traceparents: tuple[str, ...]


class Loader:
    """A load run: loads what its listing showed, batch after batch. Holds at most `limits.max_bytes` on disk."""

    def __init__(
        self,
        landing: LandingReader,
        warehouse: RawWarehouse,
        limits: LoadLimits,
        threads: int = 4,
        *,
        run_seconds: float = math.inf,
        rest_seconds: float = 0.0,
        failpoint: FailpointHandler[Failpoint] = no_failpoint,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """After `run_seconds` no further batch is begun: a run of 0 seconds loads one.

        Nothing is loaded while everything that waits landed less than `rest_seconds` ago.
        """
        self._landing = landing
        self._warehouse = warehouse
        self._limits = limits
        self._threads = threads
        self._run_seconds = run_seconds
        self._rest_seconds = rest_seconds
        self._failpoint = failpoint
        self._clock = clock
        self._halted: dict[TopicPartition, LoadError] = {}
        self._left = False

    @property
    def halted(self) -> Halted:
        """The chains that the run could not go on with; each stops alone."""
        return self._halted

    @property
    def left(self) -> bool:
        """True when the run ended by its time, with work left that it knew of.

        What landed after its listing is not meant: else a run under steady traffic would always leave some.
        """
        return self._left

    def run(self) -> Iterator[Committed]:
        """Load batch after batch, giving each as soon as it is committed.

        Raises:
            LoadError: store or warehouse failed, or other loads were always faster. The batch in hand was rolled
                back; those given before it stay. What is wrong with one chain is in `halted` instead.
        """
        began, overtaken, committed_any = self._clock(), 0, False
        plan: LoadPlan | None = None
        with ThreadPoolExecutor(self._threads, thread_name_prefix="landing") as pool:
            while True:
                if plan is None:
                    plan = self._list(pool)
                    if not committed_any and plan.rests(datetime.now(UTC), self._rest_seconds):
                        log.info("load_rests", seconds=self._rest_seconds)
                        return
                chosen = plan.choose(self._limits)
                if not chosen:
                    if plan.complete:
                        return
                    plan = None
                    continue
                if committed_any and self._clock() - began >= self._run_seconds:
                    self._left = True
                    return
                try:
                    committed = self._load(chosen, plan, pool)
                except _MovedError:
                    plan, overtaken = None, overtaken + 1
                    log.info("load_overtaken", attempt=overtaken)
                    if overtaken == REPLANS:
                        raise LoadError(Overtaken(overtaken)) from None
                    continue
                if committed is None:
                    continue
                overtaken, committed_any = 0, True
                yield committed

    # -- plan ------------------------------------------------------------------------------------------------------

    def _list(self, pool: ThreadPoolExecutor) -> LoadPlan:
        tails = self._warehouse.tails()
        landed = {chain for topic in RAW_TABLE_BY_TOPIC for chain in self._chains_of(topic, tails)}
        for chain, tail in tails.items():
            if chain not in landed and tail.landed and chain.topic in RAW_TABLE_BY_TOPIC:
                self._halt(chain, LoadError(LedgerBeyondLanding(chain, str(SegmentKey(*chain, tail.start)))))

        def after(chain: TopicPartition) -> tuple[TopicPartition, Sequence[Listed] | LoadError]:
            try:
                return chain, self._landing.after(chain, tails.get(chain), LISTED_PER_CHAIN)
            except LoadError as error:
                return chain, error

        backlog: dict[TopicPartition, Sequence[Listed]] = {}
        for chain, listed in pool.map(after, sorted(landed - self._halted.keys())):
            if isinstance(listed, LoadError):
                self._halt(chain, listed)
            else:
                backlog[chain] = listed
        return LoadPlan(tails, backlog, complete=all(len(listed) < LISTED_PER_CHAIN for listed in backlog.values()))

    def _chains_of(self, topic: str, tails: Tails) -> Collection[TopicPartition]:
        try:
            return self._landing.chains(topic)
        except LoadError as error:
            known = [chain for chain in tails if chain.topic == topic]
            for chain in known or [TopicPartition(topic, 0)]:
                self._halt(chain, error)
            return known

    def _halt(self, chain: TopicPartition, error: LoadError) -> None:
        """Halt a chain.

        Raises:
            LoadError: the error itself, where it is no chain's own.
        """
        if not isinstance(error.failure, OF_ONE_CHAIN):
            raise error
        if chain not in self._halted:
            self._halted[chain] = error
            log.error("chain_halted", chain=str(chain), reason=error.message)

    # -- load ------------------------------------------------------------------------------------------------------

    def _load(self, chosen: Sequence[Listed], plan: LoadPlan, pool: ThreadPoolExecutor) -> Committed | None:
        """Fetch, stage, commit. None when nothing was committed because chains were halted.

        Raises:
            _MovedError: the ledger moved under the plan (rolled back; plan again).
        """
        stage_path = f"load-{uuid.uuid4().hex}"  # the load's id is known inside the transaction only
        with tempfile.TemporaryDirectory(prefix="bank-load-") as folder:
            fetched = self._fetch(chosen, Path(folder), pool)
            batch, broken = arrange(fetched, plan.tails)
            for chain, error in broken.items():
                self._halt(chain, error)
            plan.halt(self._halted)
            if not batch.segments:
                return None
            staged = batch.by_topic()
            try:
                if staged:
                    self._warehouse.stage(Path(folder), batch, stage_path)
                committed = self._commit(batch, stage_path)
            except LoadError as error:
                if not isinstance(error.failure, OF_ONE_TOPIC):
                    raise
                topic = _topic_of(error.failure)
                for chain in {segment.chain for segment in batch.segments if segment.key.topic == topic}:
                    self._halt(chain, error)
                plan.halt(self._halted)
                return None
            finally:
                if staged:
                    self._warehouse.unstage(stage_path)
        plan.committed(batch)
        return committed

    def _fetch(self, chosen: Sequence[Listed], folder: Path, pool: ThreadPoolExecutor) -> list[Landed]:
        """Fetch each chain up to the first segment that can't be fetched; files without rows are removed again."""
        for topic in {segment.key.topic for segment in chosen}:
            (folder / topic).mkdir()

        def fetch(segment: Listed) -> Landed | LoadError:
            target = folder / segment.key.topic / staged_file(segment.key)
            try:
                landed = Landed(segment.key, self._landing.fetch(segment.key, target))
            except LoadError as error:
                target.unlink(missing_ok=True)
                return error
            if not landed.metadata.rows:
                target.unlink()
            return landed

        fetched: list[Landed] = []
        for segment, result in zip(chosen, pool.map(fetch, chosen), strict=True):
            if isinstance(result, LoadError):
                self._halt(segment.chain, result)
            elif segment.chain not in self._halted:
                fetched.append(result)
        return fetched

    def _commit(self, batch: LoadBatch, stage_path: str) -> Committed:
        with self._warehouse.transaction() as transaction:
            load_id = transaction.advance_fencing_token()
            if not still_holds(batch, transaction.tails()):
                raise _MovedError
            self._copy(transaction, batch, stage_path)
            self._failpoint(Failpoint.COPIED)
            rows = ledger_rows(batch, _counted_ends(transaction, batch))
            transaction.record(load_id, rows)
            self._failpoint(Failpoint.RECORDED)
        self._failpoint(Failpoint.COMMITTED)
        changes = any(row.changes_marts for row in rows)
        log.info("load_committed", load_id=load_id, segments=len(rows), rows=batch.rows, changes_marts=changes)
        traceparents = {segment.metadata.traceparent for segment in batch.segments if segment.metadata.traceparent}
        return Committed(load_id, len(rows), batch.rows, changes, tuple(sorted(traceparents)))

    def _copy(self, transaction: LoadTransaction, batch: LoadBatch, stage_path: str) -> None:
        for topic, segments in batch.by_topic().items():
            for first in range(0, len(segments), FILES_PER_COPY):
                group = segments[first : first + FILES_PER_COPY]
                loaded = transaction.copy(topic, [segment.file for segment in group], f"{stage_path}/{topic}")
                check_rows(group, loaded)


def _topic_of(reason: RowsDiffer | CopyRefused) -> str:
    return reason.topic if isinstance(reason, CopyRefused) else SegmentKey.parse(reason.key).topic


class _MovedError(Exception):
    """The ledger is not the plan's any more; leaving the transaction by an error rolls it back."""


def check_rows(segments: Sequence[Landed], loaded: Mapping[str, int]) -> None:
    """Compare what COPY says of each file with what each segment says of itself.

    Raises:
        LoadError: RowsDiffer for the first segment that differs, or that COPY does not mention.
    """
    for segment in segments:
        counted = loaded.get(segment.file, 0)
        if counted != segment.metadata.rows:
            raise LoadError(RowsDiffer(str(segment.key), segment.metadata.rows, counted))


def _counted_ends(transaction: LoadTransaction, batch: LoadBatch) -> frozenset[str]:
    ends = batch.by_topic().get(TRANSACTION_TOPIC, [])
    return frozenset(transaction.segments_with_counted_ends(ends)) if ends else frozenset()


def ledger_rows(batch: LoadBatch, counted_ends: frozenset[str]) -> list[LedgerRow]:
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
