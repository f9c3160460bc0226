"""The loop: poll, decode into lines, store what is due, then commit. Always store before commit.

One thread. A chain's life here: assigned -> waiting (paused, its tail unknown) -> flowing (it has a line) -> revoked.
Whenever a chain's buffer can't be trusted any more (a lost race, a lost position) it goes back to waiting. While the
object store fails, everything is paused and polled on: memory stays bounded and the group sees a living member.
"""

import time
from collections.abc import Callable, Collection

from bank_common.errors import Halt
from bank_common.landing import TopicPartition
from bank_common.logging import Logger
from bank_common.service import Liveness, Readiness, Shutdown
from cdc_consumer import dependencies as d
from cdc_consumer.assignment import Held, Holdings
from cdc_consumer.batcher import Batcher, IncomingBatch, RejectedBatch, SchemaBatch, TombstoneBatch
from cdc_consumer.chain import ChainStore
from cdc_consumer.dead_letter_limit import DeadLetterLimits
from cdc_consumer.dependencies import Health, PatientRegistry
from cdc_consumer.failpoints import FailpointHandler, no_failpoint
from cdc_consumer.failures import FailedError, Undecodable, error_policy
from cdc_consumer.flusher import Flusher
from cdc_consumer.metrics import ConsumerMetrics, show_partition
from cdc_consumer.partition_buffer import FlushLimits, PartitionBuffer
from cdc_consumer.ports import DeadLetters, ObjectStore, Polled, RecordLog, SchemaRegistry
from cdc_consumer.records import Records
from cdc_consumer.resume import Facts, Refused, decide
from cdc_consumer.topics import LandedTopics
from cdc_consumer.writer import SegmentWriter

CLOSE_SECONDS = 3.0
HANDOVER_SECONDS = 4.0


class Consumer:
    """Lands its share of the topics. Everything it needs comes in as an argument."""

    def __init__(
        self,
        kafka: RecordLog,
        store: ObjectStore,
        registry: SchemaRegistry,
        dead_letters: DeadLetters,
        topics: LandedTopics,
        *,
        limits: FlushLimits,
        dead_letter_limits: DeadLetterLimits,
        max_poll_records: int,
        poll_seconds: float,
        handover_seconds: float = HANDOVER_SECONDS,
        metrics: ConsumerMetrics,
        readiness: Readiness,
        clock: Callable[[], float],
        log: Logger,
        failpoint: FailpointHandler = no_failpoint,
        liveness: Liveness | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._kafka = kafka
        self._store = store
        self._topics = topics
        self._limits = limits
        self._max_poll_records = max_poll_records
        self._poll_seconds = poll_seconds
        self._polled_at = clock()
        self._metrics = metrics
        self._clock = clock
        self._log = log
        self._liveness = liveness
        self._wall_clock = wall_clock  # for the lag in seconds alone: it decides nothing
        self._health = Health(readiness, clock, log)
        self._registry = PatientRegistry(registry, self._health)
        self._batcher = Batcher(self._registry, topics)
        self._chains = ChainStore(store)
        self._writer = SegmentWriter(
            self._chains,
            dead_letters,
            topics,
            self._batcher.decode,
            limits=dead_letter_limits,
            metrics=metrics,
            clock=clock,
            log=log,
            failpoint=failpoint,
        )
        self._holdings = Holdings()
        self._flusher = Flusher(
            self._holdings,
            self._writer,
            kafka,
            self._health,
            limits=limits,
            handover_seconds=handover_seconds,
            metrics=metrics,
            clock=clock,
            log=log,
            failpoint=failpoint,
        )
        self._paused: set[TopicPartition] = set()

    def run(self, shutdown: Shutdown, *, until_caught_up: bool = False) -> None:
        """Land until the stop is requested, then store what is buffered, commit and leave the group.

        With `until_caught_up` it also ends when everything that our share of the topics holds is stored.

        Raises:
            FailedError: a failure to halt for; what could be stored before it was stored and committed.
        """
        self._kafka.subscribe(sorted(self._topics.kinds), self)
        try:
            while not shutdown.requested and not (until_caught_up and self._caught_up()):
                self.turn()
        finally:
            self.leave()

    def turn(self) -> None:
        """One round. Raises FailedError: a failure to halt for."""
        # Records may have come as soon as the wait began: their age is never underestimated.
        self._polled_at = self._clock()
        due = self._flusher.seconds_until_due(self._polled_at)
        polled = self._kafka.poll(self._max_poll_records, min(self._poll_seconds, due))
        self._note(polled)
        for topic_partition, records in polled.records.items():
            self._take(topic_partition, records)
        self._note_ends(polled.caught_up)
        self._position_waiting()
        self._rewind()
        self._flusher.flush_due()
        self._probe()
        self._pause_and_resume()
        self._show()
        if self._liveness is not None:
            self._liveness.beat()

    def leave(self) -> None:
        """Store what is buffered if the store answers, commit, leave the group. What isn't stored is read again."""
        try:
            self._flusher.flush_leaving(list(self._holdings))
        finally:
            self._kafka.close(CLOSE_SECONDS)

    def _caught_up(self) -> bool:
        """Whether every chain of ours reaches its log's end. Stores what is buffered when all of it has been read."""
        held = list(self._holdings)
        if not held or not all(each.flows and each.caught_up for each in held):
            return False
        self._flusher.flush_leaving(held)
        return all(each.buffer is not None and each.buffer.head is None for each in held)

    # -- ownership -------------------------------------------------------------------------------------------------

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """See `Ownership`."""
        self._log.info("assigned", partitions=[str(topic_partition) for topic_partition in partitions])
        self._holdings.take(partitions)
        self._paused |= set(partitions)
        self._health.well(d.KAFKA)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """See `Ownership`."""
        self._log.info("revoked", partitions=[str(topic_partition) for topic_partition in partitions])
        self._flusher.flush_leaving([held for held in self._holdings if held.topic_partition in partitions])
        self._forget(partitions)

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        """See `Ownership`."""
        self._log.warning("lost", partitions=[str(topic_partition) for topic_partition in partitions])
        self._forget(partitions)

    def _forget(self, partitions: Collection[TopicPartition]) -> None:
        self._holdings.release(partitions)
        self._paused -= set(partitions)
        for topic_partition in partitions:
            self._writer.forget(topic_partition)
            self._metrics.not_ours(topic_partition)

    # -- reading ---------------------------------------------------------------------------------------------------

    def _note(self, polled: Polled) -> None:
        for failure in polled.failures:
            self._health.report(failure)
        for topic_partition in polled.lost_position:
            held = self._holdings.get(topic_partition)
            if held is not None:
                self._log.warning("position_lost", topic=topic_partition.topic, partition=topic_partition.partition)
                held.buffer = None
        if polled.records:
            self._health.well(d.KAFKA)

    def _note_ends(self, ends: Collection[TopicPartition]) -> None:
        """The end of a log is told once, and often together with its last records."""
        for topic_partition in ends:
            held = self._holdings.get(topic_partition)
            if held is not None and held.flows:
                held.caught_up = True

    def _take(self, topic_partition: TopicPartition, records: Records) -> None:
        held = self._holdings.get(topic_partition)
        if held is None or held.buffer is None or held.rewind:
            return
        records = records.since(held.buffer.end)
        batches = self._batcher.batches(topic_partition, records) if records.count else iter(())
        while True:
            try:
                batch = next(batches, None)
            except FailedError:
                held.rewind = True
                return
            if batch is None:
                return
            self._put(held, held.buffer, batch)

    def _put(self, held: Held, buffer: PartitionBuffer, batch: IncomingBatch) -> None:
        held.caught_up = False
        held.read += batch.records.count
        match batch:
            case SchemaBatch(records, value_schema, urgent):
                buffer.add(records, value_schema, urgent=urgent, now=self._polled_at)
            case TombstoneBatch(records):
                buffer.skip(records)
            case RejectedBatch(records, error):
                failure = Undecodable(held.topic_partition, records.offsets[0], error)
                if isinstance(error_policy(failure), Halt):
                    raise FailedError(failure)
                buffer.reject(records, error, now=self._polled_at)

    def _position_waiting(self) -> None:
        for held in self._holdings.waiting:
            if not (self._health.may_try(d.STORE) and self._health.may_try(d.KAFKA)):
                return
            try:
                self._position(held)
            except FailedError as error:
                self._health.report(error.failure)
                return

    def _position(self, held: Held) -> None:
        heard = self._kafka.facts(held.topic_partition)
        self._health.well(d.KAFKA)
        hint = int(heard.note) if heard.note and heard.note.isdecimal() else None
        tail = self._chains.tail(held.topic_partition, hint)
        self._health.well(d.STORE)
        facts = Facts(tail, heard.committed, heard.log_start, heard.high_watermark, heard.topic_id)
        decision = decide(held.topic_partition, facts)
        if isinstance(decision, Refused):
            raise FailedError(decision)
        self._seek(held.topic_partition, decision.offset)
        held.buffer = PartitionBuffer(held.topic_partition, decision.offset, self._limits)
        held.topic_id = heard.topic_id
        held.rewind = held.caught_up = False
        self._log.info(
            "resumed",
            topic=held.topic_partition.topic,
            partition=held.topic_partition.partition,
            offset=decision.offset,
            new=tail is None,
        )

    def _rewind(self) -> None:
        for held in self._holdings.rewinding:
            if held.buffer is None or not (self._health.may_try(d.REGISTRY) and self._health.may_try(d.KAFKA)):
                return
            try:
                self._seek(held.topic_partition, held.buffer.end)
            except FailedError as error:
                self._health.report(error.failure)
            else:
                held.rewind = False

    def _seek(self, topic_partition: TopicPartition, offset: int) -> None:
        self._kafka.resume([topic_partition])
        self._paused.discard(topic_partition)
        self._kafka.seek(topic_partition, offset)

    # -- housekeeping ----------------------------------------------------------------------------------------------

    def _probe(self) -> None:
        """Ask the dependencies of which nothing is known and that no pending work asks anyway."""
        store_has_work = bool(self._holdings.waiting) or any(buffer.head for buffer in self._holdings.buffers)
        probes = {
            d.KAFKA: (self._kafka.probe, not self._holdings.waiting),
            d.STORE: (self._store.probe, not store_has_work),
            d.REGISTRY: (self._registry.probe, not self._holdings.rewinding),
        }
        for dependency, (probe, idle) in probes.items():
            if idle:
                self._health.probe(dependency, probe)

    def _pause_and_resume(self) -> None:
        blocked = self._holdings.blocked(everything=self._health.failing(d.STORE))
        if blocked - self._paused:
            self._kafka.pause(blocked - self._paused)
        if self._paused - blocked:
            self._kafka.resume(self._paused - blocked)
        self._paused = blocked

    def _show(self) -> None:
        if not self._holdings.waiting:
            self._health.well(d.CHAINS)
        for held in self._holdings:
            self._metrics.records_read(held.topic_partition, held.read)
            held.read = 0
            show_partition(self._metrics, held, self._kafka.high_watermark(held.topic_partition), self._wall_clock())
