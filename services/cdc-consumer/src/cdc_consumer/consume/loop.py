"""The consumer loop: poll, buffer the records, flush the batches that are due, then commit. Never commit before.

One thread. The states of a partition: assigned -> waiting (paused, its tail unknown) -> fetching (it has a buffer) ->
revoked. It goes back to waiting when its buffer is no longer valid (a lost race, a lost position). While the object
store fails, all partitions are paused and polling goes on: memory stays bounded, and the member stays in the group.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bank_common.landing.segments import TopicPartition
from bank_common.runtime.errors import Halt
from bank_common.runtime.service import Liveness, Readiness, Shutdown
from cdc_consumer.consume import dependencies as d
from cdc_consumer.consume.assignment import AssignedPartition, Assignment
from cdc_consumer.consume.batcher import Batcher, IncomingBatch, RejectedBatch, SchemaBatch, TombstoneBatch
from cdc_consumer.consume.dependencies import BackoffRegistry, Dependencies
from cdc_consumer.consume.flusher import Flusher
from cdc_consumer.consume.lag import show_partition
from cdc_consumer.failures import FailedError, Undecodable, error_policy
from cdc_consumer.model.dead_letter_limit import DeadLetterLimits
from cdc_consumer.model.flush_limits import FlushLimits
from cdc_consumer.model.partition_buffer import PartitionBuffer
from cdc_consumer.model.records import Records
from cdc_consumer.model.resume import Landed, PartitionState, Refused, decide
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.ports import Outside, Polled
from cdc_consumer.runtime import Runtime
from cdc_consumer.segments.chain import find_tail
from cdc_consumer.segments.writer import SegmentWriter

CLOSE_SECONDS = 3.0
HANDOVER_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """The numbers that the loop goes by; seconds."""

    limits: FlushLimits
    dead_letter_limits: DeadLetterLimits
    max_poll_records: int
    poll_seconds: float
    handover_seconds: float = HANDOVER_SECONDS


class Consumer:
    """One member of the consumer group. All that it needs comes in as arguments."""

    def __init__(
        self,
        outside: Outside,
        topics: LandedTopics,
        settings: LoopSettings,
        readiness: Readiness,
        runtime: Runtime,
        liveness: Liveness | None = None,
    ) -> None:
        self._kafka = outside.kafka
        self._store = outside.store
        self._topics = topics
        self._settings = settings
        self._runtime = runtime
        self._clock = runtime.clock
        self._log = runtime.log
        self._polled_at = self._clock()
        self._liveness = liveness
        self._dependencies = Dependencies(readiness, runtime.clock, runtime.log)
        self._registry = BackoffRegistry(outside.registry, self._dependencies)
        self._batcher = Batcher(self._registry, topics)
        self._writer = SegmentWriter(
            outside.store, outside.dead_letters, self._batcher.decode, settings.dead_letter_limits, runtime
        )
        self._assignment = Assignment()
        self._flusher = Flusher(
            self._assignment,
            self._writer,
            outside.kafka,
            self._dependencies,
            settings.limits,
            settings.handover_seconds,
            runtime,
        )
        self._paused: set[TopicPartition] = set()

    def run(self, shutdown: Shutdown, *, until_caught_up: bool = False) -> None:
        """Run until a stop is requested, then flush the buffers, commit and leave the group.

        With `until_caught_up` it also ends when all records of the assigned partitions are written.

        Raises:
            FailedError: a failure to halt for. What could be written before it was written and committed.
        """
        self._kafka.subscribe(sorted(self._topics.kinds), self)
        try:
            while not shutdown.requested and not (until_caught_up and self._caught_up()):
                self.run_once()
        finally:
            self.leave()

    def run_once(self) -> None:
        """Run one iteration of the loop. Raises FailedError: a failure to halt for."""
        # Records may have come as soon as the wait began: their age is never underestimated.
        self._polled_at = self._clock()
        due = self._flusher.seconds_until_due(self._polled_at)
        polled = self._kafka.poll(self._settings.max_poll_records, min(self._settings.poll_seconds, due))
        self._note(polled)
        for topic_partition, records in polled.records.items():
            self._buffer_records(topic_partition, records)
        self._note_log_ends(polled.caught_up)
        self._position_waiting()
        self._rewind()
        self._flusher.flush_due()
        self._flusher.commit_log_ends()
        self._probe()
        self._pause_and_resume()
        self._show_metrics()
        if self._liveness is not None:
            self._liveness.beat()

    def leave(self) -> None:
        """Flush if the store answers, commit, and leave the group. What is not written is read again."""
        try:
            self._flusher.flush_leaving(list(self._assignment))
        finally:
            self._kafka.close(CLOSE_SECONDS)

    def _caught_up(self) -> bool:
        """Whether every assigned partition is written up to its log end. Flushes once all of them are read so far."""
        partitions = list(self._assignment)
        if not partitions or not all(partition.fetching and partition.caught_up for partition in partitions):
            return False
        self._flusher.flush_leaving(partitions)
        return all(partition.buffer is not None and partition.buffer.head is None for partition in partitions)

    # -- rebalances ------------------------------------------------------------------------------------------------

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """See `RebalanceListener`."""
        self._log.info("assigned", partitions=[str(topic_partition) for topic_partition in partitions])
        self._assignment.assign(partitions)
        self._paused |= set(partitions)
        self._dependencies.answered(d.KAFKA)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """See `RebalanceListener`."""
        self._log.info("revoked", partitions=[str(topic_partition) for topic_partition in partitions])
        self._flusher.flush_leaving(
            [assigned for assigned in self._assignment if assigned.topic_partition in partitions]
        )
        self._forget(partitions)

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        """See `RebalanceListener`."""
        self._log.warning("lost", partitions=[str(topic_partition) for topic_partition in partitions])
        self._forget(partitions)

    def _forget(self, partitions: Collection[TopicPartition]) -> None:
        self._assignment.unassign(partitions)
        self._paused -= set(partitions)
        for topic_partition in partitions:
            self._writer.forget(topic_partition)
            self._runtime.metrics.forget(topic_partition)

    # -- reading ---------------------------------------------------------------------------------------------------

    def _note(self, polled: Polled) -> None:
        for failure in polled.failures:
            self._dependencies.report(failure)
        for topic_partition in polled.lost_position:
            assigned = self._assignment.get(topic_partition)
            if assigned is not None:
                self._log.warning("position_lost", topic=topic_partition.topic, partition=topic_partition.partition)
                assigned.buffer = None
        if polled.records:
            self._dependencies.answered(d.KAFKA)

    def _note_log_ends(self, ends: Mapping[TopicPartition, int]) -> None:
        """Note the partitions at their log end: told once each time, often together with the last records."""
        for topic_partition, offset in ends.items():
            assigned = self._assignment.get(topic_partition)
            if assigned is not None and assigned.fetching:
                assigned.caught_up = True
                assigned.log_end = offset

    def _buffer_records(self, topic_partition: TopicPartition, records: Records) -> None:
        assigned = self._assignment.get(topic_partition)
        if assigned is None or assigned.buffer is None or assigned.rewind:
            return
        records = records.since(assigned.buffer.end)
        batches = self._batcher.batches(topic_partition, records) if records.count else iter(())
        while True:
            try:
                batch = next(batches, None)
            except FailedError:
                assigned.rewind = True
                return
            if batch is None:
                return
            self._buffer_batch(assigned, assigned.buffer, batch)

    def _buffer_batch(self, assigned: AssignedPartition, buffer: PartitionBuffer, batch: IncomingBatch) -> None:
        assigned.caught_up = False
        assigned.read += batch.records.count
        match batch:
            case SchemaBatch(records, value_schema, urgent):
                buffer.add(records, value_schema, urgent=urgent, now=self._polled_at)
            case TombstoneBatch(records):
                buffer.skip(records)
            case RejectedBatch(records, error):
                failure = Undecodable(assigned.topic_partition, records.offsets[0], error)
                if isinstance(error_policy(failure), Halt):
                    raise FailedError(failure)
                buffer.reject(records, error, now=self._polled_at)

    def _position_waiting(self) -> None:
        for assigned in self._assignment.waiting:
            if not (self._dependencies.may_try(d.STORE) and self._dependencies.may_try(d.KAFKA)):
                return
            try:
                self._position(assigned)
            except FailedError as error:
                self._dependencies.report(error.failure)
                return

    def _position(self, assigned: AssignedPartition) -> None:
        offsets = self._kafka.log_offsets(assigned.topic_partition)
        self._dependencies.answered(d.KAFKA)
        landed = Landed.parse(offsets.metadata)
        tail = find_tail(self._store, assigned.topic_partition, landed.start if landed else None)
        self._dependencies.answered(d.STORE)
        state = PartitionState(
            tail, offsets.committed, offsets.log_start, offsets.high_watermark, offsets.topic_id, landed
        )
        decision = decide(assigned.topic_partition, state)
        if isinstance(decision, Refused):
            raise FailedError(decision)
        self._seek(assigned.topic_partition, decision.position)
        assigned.buffer = PartitionBuffer(assigned.topic_partition, decision.offset, self._settings.limits)
        assigned.topic_id = offsets.topic_id
        assigned.landed = None if tail is None else Landed(tail.start, tail.end)
        assigned.committed = decision.position
        assigned.rewind = assigned.caught_up = False
        self._log.info(
            "resumed",
            topic=assigned.topic_partition.topic,
            partition=assigned.topic_partition.partition,
            offset=decision.offset,
            new=tail is None,
        )

    def _rewind(self) -> None:
        for assigned in self._assignment.rewinding:
            if assigned.buffer is None or not (
                self._dependencies.may_try(d.REGISTRY) and self._dependencies.may_try(d.KAFKA)
            ):
                return
            try:
                self._seek(assigned.topic_partition, assigned.buffer.end)
            except FailedError as error:
                self._dependencies.report(error.failure)
            else:
                assigned.rewind = False

    def _seek(self, topic_partition: TopicPartition, offset: int) -> None:
        self._kafka.resume([topic_partition])
        self._paused.discard(topic_partition)
        self._kafka.seek(topic_partition, offset)

    # -- housekeeping ----------------------------------------------------------------------------------------------

    def _probe(self) -> None:
        """Probe the dependencies whose state is unknown and that no pending work calls anyway."""
        store_has_work = bool(self._assignment.waiting) or any(buffer.head for buffer in self._assignment.buffers)
        probes = {
            d.KAFKA: (self._kafka.probe, not self._assignment.waiting),
            d.STORE: (self._store.probe, not store_has_work),
            d.REGISTRY: (self._registry.probe, not self._assignment.rewinding),
        }
        for dependency, (probe, idle) in probes.items():
            if idle:
                self._dependencies.probe(dependency, probe)

    def _pause_and_resume(self) -> None:
        blocked = self._assignment.blocked(everything=self._dependencies.failing(d.STORE))
        if blocked - self._paused:
            self._kafka.pause(blocked - self._paused)
        if self._paused - blocked:
            self._kafka.resume(self._paused - blocked)
        self._paused = blocked

    def _show_metrics(self) -> None:
        if not self._assignment.waiting:
            self._dependencies.answered(d.CHAINS)
        for assigned in self._assignment:
            self._runtime.metrics.records_read(assigned.topic_partition, assigned.read)
            assigned.read = 0
            show_partition(
                self._runtime.metrics,
                assigned,
                self._kafka.high_watermark(assigned.topic_partition),
                self._runtime.wall_clock(),
            )
