"""The lag of an assigned partition, as its metrics show it."""

from cdc_consumer.consume.assignment import AssignedPartition
from cdc_consumer.metrics import ConsumerMetrics


def show_partition(
    metrics: ConsumerMetrics, assigned: AssignedPartition, high_watermark: int | None, wall_clock: float
) -> None:
    """Show how far a partition is; `wall_clock` is seconds since 1970, for the age of records that are not stored."""
    buffer = assigned.buffer
    if buffer is None:
        return
    metrics.buffered(assigned.topic_partition, buffer.size)
    metrics.tail(assigned.topic_partition, buffer.start)
    if high_watermark is not None:
        stored = assigned.caught_up and buffer.oldest is None and buffer.head is None
        age = 0.0 if buffer.written is None else max(0.0, wall_clock - buffer.written)
        metrics.lag(assigned.topic_partition, 0 if stored else max(0, high_watermark - buffer.start), age)
