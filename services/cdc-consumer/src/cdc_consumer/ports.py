"""What the consumer needs from the world. Each docstring is a contract, tested on the fake and on the real thing.

Every method raises `FailedError` with a failure of `cdc_consumer.failures`, and nothing else.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bank_common.landing import TopicPartition
from cdc_consumer.dead_letter import DeadLetterRecord
from cdc_consumer.failures import Failure
from cdc_consumer.records import Records


class StoredObject(NamedTuple):
    """An object's bytes and its user metadata (lower-case names, without the store's prefix)."""

    body: bytes
    metadata: Mapping[str, str]


class ObjectStore(Protocol):
    """The landing bucket. What it shows is complete: an object is there with all its bytes and metadata, or not."""

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
        """Returns when the bucket answers."""
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
        """Returns when the registry answers."""
        ...


@dataclass(slots=True)
class Polled:
    """What one poll brought: records in order per chain, and chains whose end was reached meanwhile.

    An end is told once each time that it is reached, often together with the last records before it.
    """

    records: dict[TopicPartition, Records] = field(default_factory=dict[TopicPartition, Records])
    caught_up: set[TopicPartition] = field(default_factory=set[TopicPartition])
    lost_position: set[TopicPartition] = field(default_factory=set[TopicPartition])
    """Chains whose position Kafka does not hold (any more): they have to be positioned again."""
    failures: list[Failure] = field(default_factory=list[Failure])


class LogFacts(NamedTuple):
    """What Kafka knows of one chain; see `cdc_consumer.resume.Facts`. `note` came with the last commit."""

    committed: int | None
    note: str | None
    log_start: int
    high_watermark: int
    topic_id: str


class Commit(NamedTuple):
    """An offset to commit with a note of ours (at most 4 KB)."""

    topic_partition: TopicPartition
    offset: int
    note: str


class Ownership(Protocol):
    """Who listens to changes of ownership. Called from inside `RecordLog.poll` and `close`."""

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """These chains are ours now. They deliver nothing until `resume`, nothing of account until `seek`."""
        ...

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """These chains go to another owner when this call returns: the last moment to store and commit."""
        ...

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        """These chains have another owner already."""
        ...


class RecordLog(Protocol):
    """The group's share of the topics. Delivers committed records only, in order per chain, from where `seek` said."""

    def subscribe(self, topics: Collection[str], ownership: Ownership) -> None:
        """Join the group."""
        ...

    def poll(self, max_records: int, timeout_seconds: float) -> Polled:
        """Wait for records at most that long. Must be called often, or the group takes the chains away."""
        ...

    def probe(self) -> None:
        """Returns when the brokers answer."""
        ...

    def facts(self, topic_partition: TopicPartition) -> LogFacts:
        """What Kafka knows of an assigned chain, asked now."""
        ...

    def seek(self, topic_partition: TopicPartition, offset: int) -> None:
        """Deliver this chain from `offset` on; nothing that was fetched before is delivered after this.

        Resume a paused chain before: librdkafka takes a second to notice one that is resumed after it was sought.
        """
        ...

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver nothing of these chains until `resume`; they stay ours."""
        ...

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver these chains again."""
        ...

    def high_watermark(self, topic_partition: TopicPartition) -> int | None:
        """The end of the log as last heard, without asking; None when nothing was heard yet."""
        ...

    def commit(self, commits: Collection[Commit]) -> None:
        """Remember these offsets for the group. May fail unseen: the chain is the truth, a commit only helps."""
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
