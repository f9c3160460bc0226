"""A member of the consumer group through confluent-kafka.

The rebalance protocol is cooperative: only the partitions that move are stopped. A new partition is paused before its
first fetch, at a position without meaning, until the consumer knows the tail of its chain and seeks.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Any, Final, Literal

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
)
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient

from bank_common.landing.segments import TopicPartition
from bank_common.runtime.failpoints import FailpointHandler, no_failpoint
from bank_common.runtime.logging import Logger
from cdc_consumer.failpoints import Failpoint
from cdc_consumer.failures import FailedError, Failure, KafkaFatal, KafkaUnavailable, TopicMissing
from cdc_consumer.model.records import Records
from cdc_consumer.ports import Commit, LogOffsets, Polled, RebalanceListener

ASK_SECONDS: Final = 5.0
# Fetched ahead, of all partitions together; consume() takes whole batches out of this queue. A small record takes three
# times its size there. A fetch that is under way goes beyond it: by default with a megabyte of each partition.
QUEUE_KILOBYTES: Final = 8 * 1024
FETCH_BYTES: Final = 4 * 1024 * 1024
_LOST_POSITION: Final = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})
_NO_TOPIC: Final = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})


class KafkaLog:
    """A `RecordLog` for one member of one consumer group."""

    def __init__(
        self,
        bootstrap_servers: str,
        group_id: str,
        *,
        group_instance_id: str | None,
        group_protocol: Literal["classic", "consumer"] = "classic",
        session_timeout_seconds: float,
        clock: Callable[[], float],
        log: Logger,
        failpoint: FailpointHandler[Failpoint] = no_failpoint,
    ) -> None:
        """Builds the clients; they connect in the background."""
        self._clock = clock
        self._log = log
        self._failpoint = failpoint
        self._failures: list[Failure] = []
        self._commits_under_way = 0
        configuration: dict[str, Any] = {
            "bootstrap.servers": bootstrap_servers,
            "client.id": "cdc-consumer",
            "group.id": group_id,
            **_membership(group_protocol, int(session_timeout_seconds * 1000)),
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": QUEUE_KILOBYTES,
            "fetch.max.bytes": FETCH_BYTES,
            # A partition that was paused, or whose queue was full, is fetched again after this; the default is 1 s.
            "fetch.queue.backoff.ms": 10,
            "reconnect.backoff.max.ms": 2_000,
            "topic.metadata.refresh.interval.ms": 30_000,
            "error_cb": self._on_error,
            "on_commit": self._on_commit,
        }
        if group_instance_id is not None:
            configuration["group.instance.id"] = group_instance_id
        # librdkafka's own lines repeat what error_cb tells; they are for debugging.
        quiet = logging.getLogger("librdkafka")
        quiet.setLevel(logging.CRITICAL)
        self._consumer = Consumer(configuration, logger=quiet)
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers}, logger=quiet)

    # -- membership ------------------------------------------------------------------------------------------------

    def subscribe(self, topics: Collection[str], listener: RebalanceListener) -> None:
        """See `RecordLog.subscribe`."""

        def on_assign(consumer: Consumer, partitions: list[KafkaPartition]) -> None:
            paused = [KafkaPartition(part.topic, part.partition, OFFSET_BEGINNING) for part in partitions]
            consumer.incremental_assign(paused)
            consumer.pause(paused)
            listener.assigned(_topic_partitions(partitions))

        def on_revoke(_consumer: Consumer, partitions: list[KafkaPartition]) -> None:
            listener.revoked(_topic_partitions(partitions))

        def on_lost(_consumer: Consumer, partitions: list[KafkaPartition]) -> None:
            listener.lost(_topic_partitions(partitions))

        self._consumer.subscribe(list(topics), on_assign=on_assign, on_revoke=on_revoke, on_lost=on_lost)

    def close(self, timeout_seconds: float) -> None:
        """See `RecordLog.close`."""
        deadline = self._clock() + timeout_seconds
        self._consumer.pause(self._consumer.assignment())
        while self._commits_under_way and self._clock() < deadline:
            self._consumer.consume(
                1, timeout=0.05
            )  # serves the answers; what it might bring is not stored, so not lost
        self._consumer.close()

    # -- reading ---------------------------------------------------------------------------------------------------

    def poll(self, max_records: int, timeout_seconds: float) -> Polled:
        """See `RecordLog.poll`."""
        polled = Polled()
        messages = self._consumer.consume(max_records, timeout_seconds)
        if any(map(Message.error, messages)):
            for message in messages:
                error = message.error()
                if error is not None:
                    self._sort(error, message, polled)
            messages = [message for message in messages if message.error() is None]
        polled.records = {
            topic_partition: _records(group) for topic_partition, group in _by_partition(messages).items()
        }
        polled.failures += self._failures
        self._failures.clear()
        return polled

    def _sort(self, error: KafkaError, message: Message, polled: Polled) -> None:
        code, topic, partition = error.code(), message.topic(), message.partition()
        if topic is not None and partition is not None and code == KafkaError._PARTITION_EOF:
            polled.caught_up[TopicPartition(topic, partition)] = message.offset() or 0
        elif topic is not None and partition is not None and code in _LOST_POSITION:
            polled.lost_position.add(TopicPartition(topic, partition))
        elif code in _NO_TOPIC:
            polled.failures.append(TopicMissing(topic or "?"))
        else:
            polled.failures.append(_failure(error))

    def seek(self, topic_partition: TopicPartition, offset: int) -> None:
        """See `RecordLog.seek`."""
        try:
            self._consumer.seek(KafkaPartition(*topic_partition, offset))
        except KafkaException as error:
            # A partition can't be sought in the first moment after its assignment: the caller tries again.
            raise FailedError(_failure(error.args[0])) from error

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """See `RecordLog.pause`."""
        self._consumer.pause(_kafka_partitions(partitions))

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """See `RecordLog.resume`."""
        self._consumer.resume(_kafka_partitions(partitions))

    # -- facts -----------------------------------------------------------------------------------------------------

    def probe(self) -> None:
        """See `RecordLog.probe`."""
        try:
            self._consumer.list_topics(timeout=ASK_SECONDS)
        except KafkaException as error:
            raise FailedError(_failure(error.args[0])) from error

    def log_offsets(self, topic_partition: TopicPartition) -> LogOffsets:
        """See `RecordLog.log_offsets`."""
        asked = KafkaPartition(*topic_partition)
        try:
            low, high = self._consumer.get_watermark_offsets(asked, timeout=ASK_SECONDS)
            [committed] = self._consumer.committed([asked], timeout=ASK_SECONDS)
            futures = self._admin.describe_topics(TopicCollection([topic_partition.topic]), request_timeout=ASK_SECONDS)
            topic_id = str(futures[topic_partition.topic].result().topic_id)
        except KafkaException as error:
            failure = error.args[0]
            missing = failure.code() in _NO_TOPIC
            raise FailedError(TopicMissing(topic_partition.topic) if missing else _failure(failure)) from error
        if committed.error is not None:
            raise FailedError(_failure(committed.error))
        none = committed.offset == OFFSET_INVALID
        return LogOffsets(None if none else committed.offset, committed.metadata, low, high, topic_id)

    def high_watermark(self, topic_partition: TopicPartition) -> int | None:
        """See `RecordLog.high_watermark`."""
        try:
            _, high = self._consumer.get_watermark_offsets(KafkaPartition(*topic_partition), cached=True)
        except KafkaException:
            return None
        return high if high >= 0 else None

    # -- committing ------------------------------------------------------------------------------------------------

    def commit(self, commits: Collection[Commit]) -> None:
        """See `RecordLog.commit`."""
        try:
            self._consumer.commit(
                offsets=[KafkaPartition(*commit.topic_partition, commit.offset, commit.metadata) for commit in commits],
                asynchronous=True,
            )
        except KafkaException as error:
            self._log.warning("commit_failed", reason=str(error.args[0]))
        else:
            self._commits_under_way += 1

    def _on_commit(self, error: KafkaError | None, _partitions: list[KafkaPartition]) -> None:
        self._commits_under_way = max(0, self._commits_under_way - 1)
        if error is not None:
            self._log.warning("commit_failed", reason=error.str())
        else:
            self._failpoint(Failpoint.OFFSETS_COMMITTED)

    def _on_error(self, error: KafkaError) -> None:
        """Called by consume(). A failure only when all brokers are down, or the error is fatal."""
        if error.fatal() or error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._failures.append(_failure(error))
        else:
            self._log.debug("kafka_client", reason=error.str())


def _membership(protocol: Literal["classic", "consumer"], session_ms: int) -> dict[str, Any]:
    """The group protocol: `classic`, or `consumer` (KIP-848), where the brokers own assignment and sessions."""
    if protocol == "consumer":
        return {"group.protocol": "consumer", "group.remote.assignor": "uniform"}
    return {
        "session.timeout.ms": session_ms,
        "heartbeat.interval.ms": session_ms // 3,
        "partition.assignment.strategy": "cooperative-sticky",
    }


def _by_partition(messages: Sequence[Message]) -> dict[TopicPartition, list[Message]]:
    """Each partition's messages, in their order. They come in runs: little is done for each message."""
    grouped: dict[TopicPartition, list[Message]] = {}
    start = 0
    partitions = zip(map(Message.topic, messages), map(Message.partition, messages), strict=True)
    for (topic, partition), run in groupby(partitions):
        stop = start + sum(1 for _ in run)
        grouped.setdefault(TopicPartition(topic or "", partition or 0), []).extend(messages[start:stop])
        start = stop
    return grouped


def _records(messages: Sequence[Message]) -> Records:
    # confluent-kafka's stubs allow text where only bytes come: keys, values and headers of a plain Consumer.
    columns: Any = (
        list(map(Message.offset, messages)),
        list(map(Message.key, messages)),
        list(map(Message.value, messages)),
        list(map(Message.headers, messages)),
    )
    kind, millis = messages[0].timestamp()
    return Records(*columns, written=None if kind == TIMESTAMP_NOT_AVAILABLE else millis / 1000)


def _failure(error: KafkaError) -> Failure:
    # consume() gives a fatal error as a message, whose code alone says so: its fatal() is False.
    fatal = error.fatal() or error.code() == KafkaError._FATAL
    return KafkaFatal(error.str()) if fatal else KafkaUnavailable(error.str())


def _topic_partitions(partitions: Collection[KafkaPartition]) -> list[TopicPartition]:
    return [TopicPartition(part.topic, part.partition) for part in partitions]


def _kafka_partitions(partitions: Collection[TopicPartition]) -> list[KafkaPartition]:
    return [KafkaPartition(*topic_partition) for topic_partition in partitions]
