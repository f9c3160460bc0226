"""The ports of the consumer. Each docstring is a contract, tested on the fake and on the real component.

Every method raises `FailedError` with a failure of `cdc_consumer.failures`, and nothing else.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bank_common.landing.segments import TopicPartition
from cdc_consumer.failures import Failure
from cdc_consumer.model.dead_letter import DeadLetterRecord
from cdc_consumer.model.records import Records


class StoredObject(NamedTuple):
    """An object's bytes and its user metadata (lower-case names, without the store's prefix)."""

    body: bytes
    metadata: Mapping[str, str]


class ObjectStore(Protocol):
    """The landing bucket. An object is there with all its bytes and metadata, or it is not there."""

    def create(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """Create the object if there is none of that name; False when there is one, which stays as it is.

        After a failure the object may or may not be there: the answer can be lost.
        """
        ...

    def read(self, key: str) -> StoredObject | None:
        """The object, or None."""
        ...

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """The object's user metadata without its bytes, or None."""
        ...

    def probe(self) -> None:
        """Return when the bucket answers."""
        ...

    def folders(self, prefix: str) -> Sequence[str]:
        """The folders directly below a prefix that ends in a slash, each with its closing slash, in order."""
        ...

    def keys(self, prefix: str, after: str | None = None) -> Sequence[str]:
        """All keys below a prefix that ends in a slash, in order; with `after`, only those greater than it."""
        ...


class SchemaRegistry(Protocol):
    """Schemas by id. A schema never changes, so an answer may be kept."""

    def schema(self, schema_id: int) -> str | None:
        """The schema's JSON text, or None when the registry knows no such id."""
        ...

    def probe(self) -> None:
        """Return when the registry answers."""
        ...


@dataclass(slots=True)
class Polled:
    """The result of one poll: the records of each partition in order, and the partitions at their log end.

    A log end is told once each time that it is reached, often together with the last records before it, with the offset
    there: past what follows the last record and is none.
    """

    records: dict[TopicPartition, Records] = field(default_factory=dict[TopicPartition, Records])
    caught_up: dict[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])
    lost_position: set[TopicPartition] = field(default_factory=set[TopicPartition])
    """Partitions whose position is outside the offsets that Kafka holds: they have to be positioned again."""
    failures: list[Failure] = field(default_factory=list[Failure])


class LogOffsets(NamedTuple):
    """What Kafka knows of one partition, see `resume.PartitionState`. `metadata` is that of the committed offset."""

    committed: int | None
    metadata: str | None
    log_start: int
    high_watermark: int
    topic_id: str


class Commit(NamedTuple):
    """An offset to commit, and its metadata (at most 4 KB)."""

    topic_partition: TopicPartition
    offset: int
    metadata: str


class RebalanceListener(Protocol):
    """The callbacks of a rebalance. Called from inside `RecordLog.poll` and `close`."""

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are assigned to us. They are paused, and what they deliver counts only after `seek`."""
        ...

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are revoked when this call returns: the last moment to write and commit."""
        ...

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are another member's already."""
        ...


class RecordLog(Protocol):
    """One member of a group. Delivers committed records only, in order per partition, from where `seek` said."""

    def subscribe(self, topics: Collection[str], listener: RebalanceListener) -> None:
        """Join the group and subscribe to the topics."""
        ...

    def poll(self, max_records: int, timeout_seconds: float) -> Polled:
        """Wait for records at most that long. Must be called often, or the group takes the partitions away."""
        ...

    def probe(self) -> None:
        """Return when the brokers answer."""
        ...

    def log_offsets(self, topic_partition: TopicPartition) -> LogOffsets:
        """Ask Kafka for the offsets of an assigned partition."""
        ...

    def seek(self, topic_partition: TopicPartition, offset: int) -> None:
        """Deliver this partition from `offset` on; nothing that was fetched before is delivered after this.

        Resume a paused partition before: librdkafka takes a second to fetch one that is resumed after its seek.
        """
        ...

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver nothing of these partitions until `resume`; they stay assigned."""
        ...

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver these partitions again."""
        ...

    def high_watermark(self, topic_partition: TopicPartition) -> int | None:
        """The end of the log as of the last fetch; None before the first one. Does no I/O."""
        ...

    def commit(self, commits: Collection[Commit]) -> None:
        """Commit these offsets. May fail unseen: the chain is the truth, a commit only saves work."""
        ...

    def close(self, timeout_seconds: float) -> None:
        """Wait for commits at most that long, then leave the group."""
        ...


class DeadLetters(Protocol):
    """The dead-letter topic, for undecodable records."""

    def send(self, dead_letters: Sequence[DeadLetterRecord]) -> None:
        """Produce the records; returns when all in-sync replicas have acknowledged each of them.

        After a failure some may be written; they may be sent again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything outside the process that the consumer talks to."""

    kafka: RecordLog
    store: ObjectStore
    registry: SchemaRegistry
    dead_letters: DeadLetters
