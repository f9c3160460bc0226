"""In-memory stand-ins for the ports, named by how they behave. The object store passes the same contract suite as
the real one; the log has holes and commits like Kafka's."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from bank_common.landing.segments import TopicPartition
from cdc_consumer.failures import (
    DeadLettersUnavailable,
    FailedError,
    KafkaUnavailable,
    RegistryUnavailable,
    StoreUnavailable,
)
from cdc_consumer.model.dead_letter import DeadLetterRecord
from cdc_consumer.model.records import Headers, Records
from cdc_consumer.ports import Commit, LogOffsets, Polled, RebalanceListener, StoredObject

WRITTEN = 1_700_000_000.0
"""When every record of a `MemoryBroker` was written."""


class ManualClock:
    """Time stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class MemoryObjectStore:
    """A bucket in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}

    def create(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        if key in self.objects:
            return False
        self.objects[key] = StoredObject(body, dict(metadata))
        return True

    def read(self, key: str) -> StoredObject | None:
        return self.objects.get(key)

    def metadata(self, key: str) -> Mapping[str, str] | None:
        stored = self.objects.get(key)
        return None if stored is None else stored.metadata

    def probe(self) -> None:
        return None

    def folders(self, prefix: str) -> Sequence[str]:
        below = (key.removeprefix(prefix) for key in self.objects if key.startswith(prefix))
        return sorted({f"{prefix}{rest.split('/')[0]}/" for rest in below if "/" in rest})

    def keys(self, prefix: str, after: str | None = None) -> Sequence[str]:
        return sorted(key for key in self.objects if key.startswith(prefix) and (after is None or key > after))


class FaultyObjectStore(MemoryObjectStore):
    """Fails as told: the next calls of each kind, before or after they took effect."""

    def __init__(self, inner: MemoryObjectStore) -> None:
        self.objects = inner.objects
        self.down = False
        self.lose_answers = 0
        self.fail_creates = 0
        self.on_create: Callable[[], None] = lambda: None
        self.creates = 0

    def _fail_when_down(self) -> None:
        if self.down:
            raise FailedError(StoreUnavailable("down"))

    def create(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        self.creates += 1
        self.on_create()
        self._fail_when_down()
        if self.fail_creates:
            self.fail_creates -= 1
            raise FailedError(StoreUnavailable("told to fail"))
        created = super().create(key, body, metadata)
        if self.lose_answers:
            self.lose_answers -= 1
            raise FailedError(StoreUnavailable("the answer was lost"))
        return created

    def folders(self, prefix: str) -> Sequence[str]:
        self._fail_when_down()
        return super().folders(prefix)

    def probe(self) -> None:
        self._fail_when_down()


class MemoryRegistry:
    """Schemas by id; `down` makes every question fail."""

    def __init__(self, schemas: Mapping[int, Mapping[str, Any]]) -> None:
        self.schemas = dict(schemas)
        self.down = False
        self.asked = 0

    def schema(self, schema_id: int) -> str | None:
        self.asked += 1
        self.probe()
        schema = self.schemas.get(schema_id)
        return None if schema is None else json.dumps(schema)

    def probe(self) -> None:
        if self.down:
            raise FailedError(RegistryUnavailable("down"))


class Record(NamedTuple):
    """One record as it lies in a `MemoryBroker`."""

    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


def columns(by_offset: Mapping[int, Record]) -> Records:
    """Records by offset, as a poll brings them."""
    offsets = sorted(by_offset)
    ordered = [by_offset[offset] for offset in offsets]
    return Records(
        offsets,
        [record.key for record in ordered],
        [record.value for record in ordered],
        [record.headers for record in ordered],
        WRITTEN,
    )


class MemoryDeadLetters:
    """A dead-letter topic in memory; `down` makes every call fail."""

    def __init__(self) -> None:
        self.records: list[DeadLetterRecord] = []
        self.down = False

    def send(self, dead_letters: Sequence[DeadLetterRecord]) -> None:
        if self.down:
            raise FailedError(DeadLettersUnavailable("down"))
        self.records += dead_letters

    @property
    def offsets(self) -> list[int]:
        """The offsets of the original records, each once."""
        return sorted({dead_letter.address.offset for dead_letter in self.records})


class MemoryBroker:
    """Topics with records at given offsets (holes allowed), and one group's commits."""

    def __init__(self, partitions: Collection[TopicPartition], topic_id: str = "id-1") -> None:
        self.records: dict[TopicPartition, dict[int, Record]] = {topic_partition: {} for topic_partition in partitions}
        self.ends = dict.fromkeys(partitions, 0)
        self.starts = dict.fromkeys(partitions, 0)
        self.commits: dict[TopicPartition, Commit] = {}
        self.topic_id = topic_id

    def produce(self, topic_partition: TopicPartition, value: bytes | None, key: bytes | None = None) -> int:
        offset = self.ends[topic_partition]
        self.records[topic_partition][offset] = Record(key, value)
        self.ends[topic_partition] += 1
        return offset

    def marker(self, topic_partition: TopicPartition) -> None:
        """An offset without a record, as a transaction's end leaves it."""
        self.ends[topic_partition] += 1


class MemoryLog:
    """One member's view of a `MemoryBroker`: assigned what the test says, read in small polls."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker
        self.listener: RebalanceListener | None = None
        self.positions: dict[TopicPartition, int | None] = {}
        self.paused: set[TopicPartition] = set()
        self.polls = 0
        self.down = False
        self.closed = False
        self.losses: set[TopicPartition] = set()
        self._told: dict[TopicPartition, int] = {}
        self.on_subscribe: Callable[[], None] = lambda: None
        self.on_poll: Callable[[], None] = lambda: None
        self.on_wait: Callable[[float], None] = lambda _: None
        """Called with the timeout of a poll that is not full: such a one lasts all of it, like the real one's."""

    def subscribe(self, topics: Collection[str], listener: RebalanceListener) -> None:
        self.listener = listener
        self.on_subscribe()

    def assign(self, *partitions: TopicPartition) -> None:
        assert self.listener is not None
        self.positions |= dict.fromkeys(partitions)
        self.paused |= set(partitions)
        self.listener.assigned(partitions)

    def revoke(self, *partitions: TopicPartition, lost: bool = False) -> None:
        assert self.listener is not None
        (self.listener.lost if lost else self.listener.revoked)(partitions)
        for topic_partition in partitions:
            del self.positions[topic_partition]
        self.paused -= set(partitions)

    def poll(self, max_records: int, timeout_seconds: float) -> Polled:
        self.polls += 1
        self.on_poll()
        polled = Polled(lost_position=self.losses)
        self.losses = set()
        room = max_records
        for topic_partition, position in self.positions.items():
            if topic_partition in self.paused or position is None:
                continue
            offsets = [offset for offset in sorted(self.broker.records[topic_partition]) if offset >= position][:room]
            if offsets:
                polled.records[topic_partition] = columns(
                    {offset: self.broker.records[topic_partition][offset] for offset in offsets}
                )
                self.positions[topic_partition] = offsets[-1] + 1
                room -= len(offsets)
            reached = self.positions[topic_partition] or 0
            end = max(reached, self.broker.ends[topic_partition])
            if (
                reached > max(self.broker.records[topic_partition], default=-1)
                and self._told.get(topic_partition) != end
            ):
                polled.caught_up[topic_partition] = end
                self._told[topic_partition] = end
        if room:
            self.on_wait(timeout_seconds)
        return polled

    def probe(self) -> None:
        if self.down:
            raise FailedError(KafkaUnavailable("down"))

    def log_offsets(self, topic_partition: TopicPartition) -> LogOffsets:
        self.probe()
        commit = self.broker.commits.get(topic_partition)
        return LogOffsets(
            None if commit is None else commit.offset,
            None if commit is None else commit.metadata,
            self.broker.starts[topic_partition],
            self.broker.ends[topic_partition],
            self.broker.topic_id,
        )

    def seek(self, topic_partition: TopicPartition, offset: int) -> None:
        assert topic_partition not in self.paused, "its first records would come a second late"
        self.probe()
        self.positions[topic_partition] = offset
        self._told.pop(topic_partition, None)

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        self.paused |= set(partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        self.paused -= set(partitions)

    def high_watermark(self, topic_partition: TopicPartition) -> int | None:
        return self.broker.ends[topic_partition]

    def commit(self, commits: Collection[Commit]) -> None:
        self.broker.commits |= {commit.topic_partition: commit for commit in commits}

    def close(self, timeout_seconds: float) -> None:
        self.closed = True
