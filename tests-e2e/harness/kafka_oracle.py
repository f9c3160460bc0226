"""An independent reader of Kafka: plain confluent-kafka, read_committed, from the log's beginning to its end."""

from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition


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
        while unfinished:
            messages = consumer.consume(10_000, timeout=20)
            if not messages:
                raise AssertionError(f"{topic} did not reach its end within 20 s; partitions left: {unfinished}")
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
