"""The chains that this process owns now, and how far each one is. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bank_common.landing import TopicPartition
from cdc_consumer.partition_buffer import PartitionBuffer


@dataclass(slots=True)
class Held:
    """One owned chain."""

    topic_partition: TopicPartition
    buffer: PartitionBuffer | None = None
    """None while the chain's tail has to be looked up; nothing is read until then."""
    topic_id: str = ""
    rewind: bool = False
    """Records were delivered that the line could not take: the reader has to go back to the line's end."""
    caught_up: bool = False
    read: int = 0
    """Records taken since they were last counted."""

    @property
    def flows(self) -> bool:
        """Whether records of this chain can be taken."""
        return self.buffer is not None and not self.rewind


class Holdings:
    """Owned chains by name, in a fixed order."""

    def __init__(self) -> None:
        self._held: dict[TopicPartition, Held] = {}

    def __iter__(self) -> Iterator[Held]:
        return iter([self._held[topic_partition] for topic_partition in sorted(self._held)])

    def get(self, topic_partition: TopicPartition) -> Held | None:
        """The chain, if it is ours."""
        return self._held.get(topic_partition)

    def take(self, partitions: Collection[TopicPartition]) -> None:
        """These are ours now; each waits for its tail."""
        self._held |= {topic_partition: Held(topic_partition) for topic_partition in partitions}

    def release(self, partitions: Collection[TopicPartition]) -> None:
        """These are ours no longer; what their lines hold is dropped."""
        for topic_partition in partitions:
            self._held.pop(topic_partition, None)

    @property
    def buffers(self) -> list[PartitionBuffer]:
        """The lines of the chains whose tail is known."""
        return [held.buffer for held in self if held.buffer is not None]

    @property
    def waiting(self) -> list[Held]:
        """The chains whose tail has to be looked up."""
        return [held for held in self if held.buffer is None]

    @property
    def rewinding(self) -> list[Held]:
        """The chains whose reader has to go back."""
        return [held for held in self if held.buffer is not None and held.rewind]

    def blocked(self, *, everything: bool) -> set[TopicPartition]:
        """The chains that must deliver nothing now."""
        return {held.topic_partition for held in self if everything or not held.flows}
