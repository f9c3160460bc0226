"""Where a member resumes a partition, or why it must not, as a table of decisions. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from bank_common.landing.segments import SegmentMetadata, TopicPartition


class PartitionState(NamedTuple):
    """The offsets of one partition, in its chain and in Kafka, when it is assigned.

    `tail` is the metadata of the chain's last segment; `log_start` and `high_watermark` bound the offsets that Kafka
    holds: `[log_start, high_watermark)`; `topic_id` changes when a topic is deleted and created again.
    """

    tail: SegmentMetadata | None
    committed: int | None
    log_start: int
    high_watermark: int
    topic_id: str


class Refusal(Enum):
    """Why reading on would lose or double records. Closed; `cdc_consumer.failures` has the advice for each."""

    TOPIC_RECREATED = "the topic was deleted and created again since the chain's last segment"
    CHAIN_LOST = "the consumer group has a committed offset, and the chain has no segment"
    CHAIN_BEHIND_COMMIT = "the committed offset is beyond the chain's last segment"
    LOG_STARTS_AFTER_TAIL = "Kafka no longer holds the records that follow the chain's last segment"
    TAIL_BEYOND_LOG = "the chain's last segment ends beyond the end of Kafka's log"


@dataclass(frozen=True, slots=True)
class Resume:
    """Read on from `offset`; the next segment starts there."""

    offset: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Do not read on: an operator decides."""

    topic_partition: TopicPartition
    refusal: Refusal
    state: PartitionState


def decide(topic_partition: TopicPartition, state: PartitionState) -> Resume | Refused:
    """Decide where to resume. The chain is the truth; the committed offset only shows that a part of it is missing."""
    tail = state.tail
    if tail is None:
        if state.committed is not None:
            return Refused(topic_partition, Refusal.CHAIN_LOST, state)
        return Resume(state.log_start)
    # Offsets of another topic of the same name say nothing: this comes first.
    if tail.topic_id != state.topic_id:
        return Refused(topic_partition, Refusal.TOPIC_RECREATED, state)
    if state.committed is not None and state.committed > tail.end:
        return Refused(topic_partition, Refusal.CHAIN_BEHIND_COMMIT, state)
    if state.log_start > tail.end:
        return Refused(topic_partition, Refusal.LOG_STARTS_AFTER_TAIL, state)
    if tail.end > state.high_watermark:
        return Refused(topic_partition, Refusal.TAIL_BEYOND_LOG, state)
    return Resume(tail.end)
