"""The flush policy: how long records wait before they are stored. Pure; times are seconds."""

import math
from collections.abc import Iterable

from cdc_consumer.model.flush_limits import FlushLimits, FlushReason
from cdc_consumer.model.partition_buffer import PartitionBuffer
from cdc_consumer.model.segment_budget import SegmentBudget


def seal_due(
    buffers: Iterable[PartitionBuffer], now: float, limits: FlushLimits, budget: SegmentBudget
) -> float | None:
    """Seal every batch that is due.

    When the urgent records of one buffer are old enough and the budget has a segment for each buffer with urgent
    records, all of these are sealed: the records of one source transaction lie in several partitions and become whole
    together. Other records (BEGIN, heartbeats) wait much longer, so that a quiet bank causes no loads.

    Returns how long the oldest urgent record has waited, in seconds, if such records were sealed for their age.
    """
    buffers = list(buffers)
    if sum(buffer.size for buffer in buffers) > limits.max_total_bytes:
        for buffer in buffers:
            buffer.seal(FlushReason.MEMORY)
        return None
    waited: float | None = None
    if now >= _urgent_at(buffers, now, limits, budget):
        waited = now - min(buffer.oldest_urgent for buffer in buffers if buffer.oldest_urgent is not None)
        for buffer in buffers:
            if buffer.oldest_urgent is not None:
                buffer.seal(FlushReason.AGE)
    for buffer in buffers:
        if now >= _idle_at(buffer, limits):
            buffer.seal(FlushReason.IDLE)
    return waited


def seconds_until_due(
    buffers: Iterable[PartitionBuffer], now: float, limits: FlushLimits, budget: SegmentBudget
) -> float:
    """Seconds until a batch is due; infinite when all buffers are empty."""
    buffers = list(buffers)
    idle = min((_idle_at(buffer, limits) for buffer in buffers), default=math.inf)
    return max(0.0, min(_urgent_at(buffers, now, limits, budget), idle) - now)


def _urgent_at(buffers: Iterable[PartitionBuffer], now: float, limits: FlushLimits, budget: SegmentBudget) -> float:
    """When the batches with urgent records are due."""
    since = [buffer.oldest_urgent for buffer in buffers if buffer.oldest_urgent is not None]
    return budget.flush_at(min(since), limits.flush_seconds, len(since), now) if since else math.inf


def _idle_at(buffer: PartitionBuffer, limits: FlushLimits) -> float:
    return math.inf if buffer.oldest is None else buffer.oldest + limits.idle_flush_seconds
