"""Where a member resumes a partition, or why it must not, as a table of decisions. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Self

from bank_common.landing.segments import SegmentMetadata, TopicPartition


class Landed(NamedTuple):
    """The last segment of a chain, `[start, end)`, as the metadata of a committed offset names it."""

    start: int
    end: int

    def encode(self) -> str:
        """The metadata's text."""
        return f"{self.start}:{self.end}"

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read it back; None when it is no such text."""
        start, _, end = (text or "").partition(":")
        return cls(int(start), int(end)) if start.isdecimal() and end.isdecimal() else None


class PartitionState(NamedTuple):
    """The offsets of one partition, in its chain and in Kafka, when it is assigned.

    `tail` is the metadata of the chain's last segment; `log_start` and `high_watermark` bound the offsets that Kafka
    holds: `[log_start, high_watermark)`; `topic_id` changes when a topic is deleted and created again. `landed` is the
    last segment when the offset was committed: all that lay between its end and that offset was no record (transaction
    markers, aborted records).
    """

    tail: SegmentMetadata | None
    committed: int | None
    log_start: int
    high_watermark: int
    topic_id: str
    landed: Landed | None = None

    @property
    def read_to(self) -> int:
        """Where the records that are not in the chain begin, as far as is known; the tail's end at least."""
        assert self.tail is not None  # noqa: S101 - the caller knows
        # A log that ends before the commit was cut off, and other records may stand there now.
        if self.committed is None or not self.committed_at_the_end or self.committed > self.high_watermark:
            return self.tail.end
        return max(self.tail.end, self.committed)

    @property
    def committed_at_the_end(self) -> bool:
        """Whether the offset was committed when all records before it were in the chain as it is now."""
        return self.tail is not None and self.landed is not None and self.landed.end == self.tail.end


class Refusal(Enum):
    """Why reading on would lose or double records. Closed; `cdc_consumer.failures` has the advice for each."""

    TOPIC_RECREATED = "the topic was deleted and created again since the chain's last segment"
    CHAIN_LOST = "the consumer group has a committed offset, and the chain has no segment"
    CHAIN_BEHIND_COMMIT = "the committed offset is beyond the chain's last segment"
    LOG_STARTS_AFTER_TAIL = "Kafka no longer holds the records that follow the chain's last segment"
    TAIL_BEYOND_LOG = "the chain's last segment ends beyond the end of Kafka's log"


@dataclass(frozen=True, slots=True)
class Resume:
    """Read on from `position`; the next segment starts at `offset`, and between them lies no record."""

    offset: int
    position: int


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
        return Resume(state.log_start, state.log_start)
    # Offsets of another topic of the same name say nothing: this comes first.
    if tail.topic_id != state.topic_id:
        return Refused(topic_partition, Refusal.TOPIC_RECREATED, state)
    if state.committed is not None and state.committed > tail.end and not state.committed_at_the_end:
        return Refused(topic_partition, Refusal.CHAIN_BEHIND_COMMIT, state)
    if state.log_start > state.read_to:
        return Refused(topic_partition, Refusal.LOG_STARTS_AFTER_TAIL, state)
    if tail.end > state.high_watermark:
        return Refused(topic_partition, Refusal.TAIL_BEYOND_LOG, state)
    return Resume(tail.end, state.read_to)
