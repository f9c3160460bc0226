"""The assignment of this member of the group: its partitions, and how far each one is. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bank_common.landing.segments import TopicPartition
from cdc_consumer.model.partition_buffer import PartitionBuffer
from cdc_consumer.model.resume import Landed


@dataclass(slots=True)
class AssignedPartition:
    """One assigned partition."""

    topic_partition: TopicPartition
    buffer: PartitionBuffer | None = None
    """None until the tail of the chain is known; nothing is read before."""
    topic_id: str = ""
    rewind: bool = False
    """Records were delivered that could not be buffered: the consumer has to seek back to the end of the buffer."""
    caught_up: bool = False
    log_end: int = 0
    """The offset at the log's end when it was last reached."""
    landed: Landed | None = None
    """The last segment of the chain; None while there is none."""
    committed: int = 0
    """The last offset that was committed at the log's end."""
    read: int = 0
    """Records that were buffered since they were last counted."""

    @property
    def past_the_tail(self) -> bool:
        """Whether all records are in the chain, and the log goes on behind the last one without any."""
        return (
            self.fetching
            and self.caught_up
            and self.landed is not None
            and self.buffer is not None
            and self.buffer.start == self.buffer.end
            and self.log_end > max(self.landed.end, self.committed)
        )

    @property
    def fetching(self) -> bool:
        """Whether records of this partition can be buffered."""
        return self.buffer is not None and not self.rewind


class Assignment:
    """The assigned partitions, in the order of their names."""

    def __init__(self) -> None:
        self._assigned: dict[TopicPartition, AssignedPartition] = {}

    def __iter__(self) -> Iterator[AssignedPartition]:
        return iter([self._assigned[topic_partition] for topic_partition in sorted(self._assigned)])

    def get(self, topic_partition: TopicPartition) -> AssignedPartition | None:
        """Return the partition, if it is assigned."""
        return self._assigned.get(topic_partition)

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """Add partitions; each one waits for the tail of its chain."""
        self._assigned |= {topic_partition: AssignedPartition(topic_partition) for topic_partition in partitions}

    def unassign(self, partitions: Collection[TopicPartition]) -> None:
        """Remove partitions, and drop their buffers."""
        for topic_partition in partitions:
            self._assigned.pop(topic_partition, None)

    @property
    def buffers(self) -> list[PartitionBuffer]:
        """The buffers of the partitions whose tail is known."""
        return [assigned.buffer for assigned in self if assigned.buffer is not None]

    @property
    def waiting(self) -> list[AssignedPartition]:
        """The partitions whose tail has to be looked up."""
        return [assigned for assigned in self if assigned.buffer is None]

    @property
    def rewinding(self) -> list[AssignedPartition]:
        """The partitions whose position has to go back."""
        return [assigned for assigned in self if assigned.buffer is not None and assigned.rewind]

    def blocked(self, *, everything: bool) -> set[TopicPartition]:
        """The partitions that must be paused now."""
        return {assigned.topic_partition for assigned in self if everything or not assigned.fetching}
