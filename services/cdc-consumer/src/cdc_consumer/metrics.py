"""The consumer's metrics; `bank_common.runtime.metrics` has their names."""

from prometheus_client import CollectorRegistry

from bank_common.landing.segments import SegmentMetadata, TopicPartition
from bank_common.runtime import metrics as m
from bank_common.runtime.service import build_metric
from cdc_consumer.model.flush_limits import FlushReason


class ConsumerMetrics:
    """Counts and shows what the consumer does; one method per event."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._records = build_metric(m.CONSUMER_RECORDS, registry)
        self._segments = build_metric(m.CONSUMER_SEGMENTS, registry)
        self._rows = build_metric(m.CONSUMER_ROWS, registry)
        self._bytes = build_metric(m.CONSUMER_BYTES, registry)
        self._rejected = build_metric(m.CONSUMER_REJECTED, registry)
        self._flushes = build_metric(m.CONSUMER_FLUSHES, registry)
        self._races = build_metric(m.CONSUMER_RACES_LOST, registry)
        self._store_errors = build_metric(m.CONSUMER_STORE_ERRORS, registry)
        self._buffered = build_metric(m.CONSUMER_BUFFERED_BYTES, registry)
        self._tail = build_metric(m.CONSUMER_TAIL, registry)
        self._lag = build_metric(m.CONSUMER_LAG, registry)
        self._lag_seconds = build_metric(m.CONSUMER_LAG_SECONDS, registry)
        self._window = build_metric(m.CONSUMER_FLUSH_WINDOW, registry)
        self._flush = build_metric(m.CONSUMER_FLUSH, registry)
        self._put = build_metric(m.CONSUMER_PUT, registry)
        self._of_owner = (self._buffered, self._tail, self._lag, self._lag_seconds)

    def records_read(self, topic_partition: TopicPartition, records: int) -> None:
        """Records were added to a partition buffer."""
        self._records.labels(*topic_partition).inc(records)

    def segment_created(
        self, topic_partition: TopicPartition, metadata: SegmentMetadata, size: int, reason: FlushReason, seconds: float
    ) -> None:
        """A segment of `size` bytes was appended to its chain."""
        self._segments.labels(*topic_partition).inc()
        self._rows.labels(*topic_partition).inc(metadata.rows)
        self._bytes.labels(*topic_partition).inc(size)
        self._rejected.labels(*topic_partition).inc(metadata.rejected)
        self._flushes.labels(*topic_partition, reason.value).inc()
        self._flush.observe(seconds)

    def flush_window(self, seconds: float) -> None:
        """Urgent batches were sealed for their age; the oldest record had waited so long."""
        self._window.set(seconds)

    def put_answered(self, seconds: float) -> None:
        """The store answered the creation of an object."""
        self._put.observe(seconds)

    def race_lost(self, topic_partition: TopicPartition) -> None:
        """Another member had created the segment first."""
        self._races.labels(*topic_partition).inc()

    def store_failed(self) -> None:
        """A call to the object store failed."""
        self._store_errors.inc()

    def buffered(self, topic_partition: TopicPartition, size: int) -> None:
        """The memory that a partition buffer takes, in bytes."""
        self._buffered.labels(*topic_partition).set(size)

    def tail(self, topic_partition: TopicPartition, offset: int) -> None:
        """The end of the chain: where its next segment starts."""
        self._tail.labels(*topic_partition).set(offset)

    def lag(self, topic_partition: TopicPartition, records: int, seconds: float) -> None:
        """How far the chain is behind the log of its partition."""
        self._lag.labels(*topic_partition).set(records)
        self._lag_seconds.labels(*topic_partition).set(seconds)

    def forget(self, topic_partition: TopicPartition) -> None:
        """Stop showing a partition: it is another member's."""
        for metric in self._of_owner:
            metric.remove(*topic_partition)
