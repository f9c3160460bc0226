"""The segment writer: decode a batch, send its dead letters, encode it, create the object; in this order.

Dead letters are acknowledged before the object is created. Records that are in no segment are read
again, and a dead letter that is written twice is one record after compaction.
"""

from collections.abc import Callable

from bank_common.landing.segments import TopicPartition
from bank_common.runtime import tracing
from bank_common.runtime.errors import ToDeadLetters
from cdc_consumer.failpoints import Failpoint
from cdc_consumer.failures import FailedError, TooManyRejected, Undecodable, error_policy
from cdc_consumer.model.dead_letter import Address, DeadLetterRecord
from cdc_consumer.model.dead_letter_limit import DeadLetterLimit, DeadLetterLimits
from cdc_consumer.model.partition_buffer import SegmentBatch
from cdc_consumer.ports import DeadLetters, ObjectStore
from cdc_consumer.runtime import Runtime
from cdc_consumer.segments.chain import append
from cdc_consumer.segments.decoded_batch import DecodedBatch
from cdc_consumer.segments.put import Decision, PutAnswer, decide
from cdc_consumer.segments.segment import Segment, encode


class SegmentWriter:
    """Writes batches as segments."""

    def __init__(
        self,
        store: ObjectStore,
        dead_letters: DeadLetters,
        decode: Callable[[SegmentBatch], DecodedBatch],
        limits: DeadLetterLimits,
        runtime: Runtime,
    ) -> None:
        self._store = store
        self._dead_letters = dead_letters
        self._decode = decode
        self._limits = limits
        self._metrics = runtime.metrics
        self._clock = runtime.clock
        self._log = runtime.log
        self._failpoint = runtime.failpoint
        self._dead_letter_limits: dict[TopicPartition, DeadLetterLimit] = {}
        # Kept while the store fails: its dead letters are acknowledged, and a retry puts the same bytes.
        self._encoded: dict[TopicPartition, tuple[SegmentBatch, Segment]] = {}

    def write(self, batch: SegmentBatch, topic_id: str) -> PutAnswer:
        """Put the segment of a batch. After a failure the same batch may be written again.

        Raises:
            FailedError: the store failed, or the batch must not be stored.
        """
        started = self._clock()
        topic_partition = batch.topic_partition
        where = {"topic": topic_partition.topic, "partition": topic_partition.partition}
        with tracing.span("land segment", linked=batch.traceparents, attributes={**where, "start": batch.start}):
            segment = self._prepare(batch, topic_id)
            self._failpoint(Failpoint.SEGMENT_ENCODED)
            put = self._clock()
            answer = append(self._store, segment)
            self._metrics.put_answered(self._clock() - put)
            self._failpoint(Failpoint.SEGMENT_CREATED)
        self._encoded.pop(topic_partition, None)
        if decide(answer) is Decision.LOST_RACE:
            self._metrics.race_lost(topic_partition)
            self._log.warning("race_lost", **where, offset=batch.start)
            return answer
        self._metrics.segment_created(
            topic_partition, segment.metadata, len(segment.body), batch.reason, self._clock() - started
        )
        self._log.info(
            "segment_stored",
            **where,
            offset=batch.start,
            end=batch.end,
            rows=segment.metadata.rows,
            rejected=segment.metadata.rejected,
            bytes=len(segment.body),
            reason=batch.reason.value,
            answer_was_lost=answer is PutAnswer.HOLDS_SAME,
        )
        return answer

    def forget(self, topic_partition: TopicPartition) -> None:
        """Drop what is kept of a partition: its next batch may be another member's, or be read again."""
        self._dead_letter_limits.pop(topic_partition, None)
        self._encoded.pop(topic_partition, None)

    def _prepare(self, batch: SegmentBatch, topic_id: str) -> Segment:
        encoded = self._encoded.get(batch.topic_partition)
        if encoded is not None and encoded[0] is batch:
            return encoded[1]
        decoded = self._decode(batch)
        self._reject(batch, decoded)
        traceparent = tracing.current_traceparent() or next(iter(batch.traceparents), None)
        segment = encode(batch, decoded, topic_id, traceparent)
        self._encoded[batch.topic_partition] = (batch, segment)
        return segment

    def _reject(self, batch: SegmentBatch, decoded: DecodedBatch) -> None:
        """Send undecodable records to the dead-letter topic, and wait until they are acknowledged."""
        records, dead_letters = batch.records, list[DeadLetterRecord]()
        for index, error in decoded.rejected.items():
            failure = Undecodable(batch.topic_partition, records.offsets[index], error)
            if not isinstance(error_policy(failure), ToDeadLetters):
                raise FailedError(failure)
            dead_letters.append(
                DeadLetterRecord(
                    Address(*batch.topic_partition, records.offsets[index]),
                    records.keys[index],
                    records.values[index] or b"",
                    records.headers[index] or (),
                    error.reason.value,
                    error.detail,
                )
            )
        exceeded = self._limit(batch.topic_partition).add(records.count, decoded.rejected)
        if exceeded is not None:
            index, error = next(iter(decoded.rejected.items()))
            raise FailedError(
                TooManyRejected(Undecodable(batch.topic_partition, records.offsets[index], error), exceeded)
            )
        if dead_letters:
            self._dead_letters.send(dead_letters)
            self._failpoint(Failpoint.DEAD_LETTERS_ACKNOWLEDGED)
            for dead_letter in dead_letters:
                self._log.warning(
                    "rejected",
                    topic=dead_letter.address.topic,
                    partition=dead_letter.address.partition,
                    offset=dead_letter.address.offset,
                    reason=dead_letter.reason,
                    detail=dead_letter.detail,
                )

    def _limit(self, topic_partition: TopicPartition) -> DeadLetterLimit:
        return self._dead_letter_limits.setdefault(topic_partition, DeadLetterLimit(self._limits))
