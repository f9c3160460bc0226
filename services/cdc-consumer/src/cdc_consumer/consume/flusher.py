"""The flusher: seal the batches that are due, write them, commit their offsets. Never commit before the write."""

import math
from collections.abc import Sequence

from bank_common.landing.segments import TopicPartition
from cdc_consumer.consume import dependencies as d
from cdc_consumer.consume.assignment import AssignedPartition, Assignment
from cdc_consumer.consume.dependencies import Dependencies
from cdc_consumer.failpoints import Failpoint
from cdc_consumer.failures import FailedError, Failure
from cdc_consumer.model.flush_limits import FlushLimits, FlushReason
from cdc_consumer.model.flush_policy import seal_due, seconds_until_due
from cdc_consumer.model.partition_buffer import PartitionBuffer
from cdc_consumer.model.resume import Landed
from cdc_consumer.model.segment_budget import SegmentBudget
from cdc_consumer.ports import Commit, RecordLog
from cdc_consumer.runtime import Runtime
from cdc_consumer.segments.put import Decision, PutAnswer, decide
from cdc_consumer.segments.writer import SegmentWriter


class Flusher:
    """Flushes partition buffers to segments, and commits the offsets of what was written."""

    def __init__(
        self,
        assignment: Assignment,
        writer: SegmentWriter,
        kafka: RecordLog,
        dependencies: Dependencies,
        limits: FlushLimits,
        handover_seconds: float,
        runtime: Runtime,
    ) -> None:
        self._assignment = assignment
        self._writer = writer
        self._kafka = kafka
        self._dependencies = dependencies
        self._limits = limits
        self._budget = SegmentBudget(limits.budget)
        self._handover_seconds = handover_seconds
        self._metrics = runtime.metrics
        self._clock = runtime.clock
        self._log = runtime.log
        self._failpoint = runtime.failpoint

    def seconds_until_due(self, now: float) -> float:
        """Seconds until a batch is due; infinite when all buffers are empty."""
        return seconds_until_due(self._assignment.buffers, now, self._limits, self._budget)

    def flush_due(self) -> None:
        """Flush every batch that is due. Raises FailedError: a failure to halt for."""
        waited = seal_due(self._assignment.buffers, self._clock(), self._limits, self._budget)
        if waited is not None:
            self._metrics.flush_window(waited)
        self._flush_sealed(list(self._assignment))

    def flush_leaving(self, leaving: Sequence[AssignedPartition]) -> None:
        """Flush partitions that we give up, within one deadline. Their next owner reads again what was not written.

        Raises:
            FailedError: a failure to halt for.
        """
        deadline = self._clock() + self._handover_seconds
        for assigned in leaving:
            if assigned.buffer is not None:
                assigned.buffer.seal(FlushReason.LEAVING)
        self._flush_sealed(leaving, deadline)

    def commit_log_ends(self) -> None:
        """Commit the log's end of each partition whose records are all in the chain.

        Behind the last record lie markers, which retention takes away like records: without this commit a log that
        starts behind the tail looks as if it had lost some.
        """
        commits: list[Commit] = []
        for assigned in self._assignment:
            if assigned.landed is not None and assigned.past_the_tail:
                assigned.committed = assigned.log_end
                commits.append(Commit(assigned.topic_partition, assigned.log_end, assigned.landed.encode()))
        if commits:
            self._kafka.commit(commits)

    def _flush_sealed(self, assignment: Sequence[AssignedPartition], deadline: float = math.inf) -> None:
        commits: dict[TopicPartition, Commit] = {}
        for assigned in assignment:
            while (
                assigned.buffer is not None and assigned.buffer.head is not None and self._dependencies.may_try(d.STORE)
            ):
                if self._clock() >= deadline:
                    self._log.warning(
                        "handover_late",
                        topic=assigned.topic_partition.topic,
                        partition=assigned.topic_partition.partition,
                    )
                    break
                self._flush_head(assigned, assigned.buffer, commits)
        if commits:
            self._kafka.commit(list(commits.values()))
            self._failpoint(Failpoint.OFFSETS_SENT)

    def _flush_head(
        self, assigned: AssignedPartition, buffer: PartitionBuffer, commits: dict[TopicPartition, Commit]
    ) -> None:
        batch = buffer.head
        if batch is None:
            return
        outcome: PutAnswer | Failure
        try:
            outcome = self._writer.write(batch, assigned.topic_id)
        except FailedError as error:
            outcome = error.failure
        match decide(outcome):
            case Decision.STORED:
                buffer.stored()
                self._budget.spend(1, self._clock())
                assigned.landed = Landed(batch.start, batch.end)
                landed = Commit(assigned.topic_partition, batch.end, metadata=assigned.landed.encode())
                commits[assigned.topic_partition] = landed
            case Decision.KEEP:
                self._metrics.store_failed()
            case Decision.LOST_RACE:
                self._writer.forget(assigned.topic_partition)
                assigned.buffer = None
            case Decision.NOT_STORED:
                assigned.buffer = None
        if isinstance(outcome, PutAnswer):
            self._dependencies.answered(d.STORE)
        else:
            self._dependencies.report(outcome)
