"""An independent reader of Kafka: plain confluent-kafka, read_committed, from the log's beginning to its end."""

import time
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

READ_SECONDS = 60


def read_all(bootstrap_servers: str, topic: str) -> Iterator[Message]:
    """Every committed record of a topic, partition by partition, up to the end at the time of the call."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "e2e-oracle",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        unfinished = set(partitions)
        deadline = time.monotonic() + READ_SECONDS
        while unfinished:
            # A short timeout: consume() waits for the whole batch, and the end of a partition fills none.
            messages = consumer.consume(10_000, timeout=0.1)
            if not messages and time.monotonic() > deadline:
                raise AssertionError(f"{topic} did not reach its end in {READ_SECONDS} s; left: {unfinished}")
            for message in messages:
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    unfinished.discard(message.partition())
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()


def offsets(bootstrap_servers: str, topic: str) -> set[tuple[int, int]]:
    """The (partition, offset) of every committed record of a topic."""
    return {(message.partition() or 0, message.offset() or 0) for message in read_all(bootstrap_servers, topic)}


def log_starts(bootstrap_servers: str, topic: str) -> dict[int, int]:
    """Partition -> the first offset that Kafka still holds; retention has taken away what lay before it."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "e2e-oracle"})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return {
            partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[0]
            for partition in partitions
        }
    finally:
        consumer.close()
