"""The dead-letter topic through confluent-kafka: produce dead letters, read the open ones, replay them."""

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from cdc_consumer.failures import DeadLettersUnavailable, FailedError
from cdc_consumer.model.dead_letter import PREFIX, DeadLetterRecord, open_dead_letters
from cdc_consumer.model.records import Headers

ASK_SECONDS: Final = 10.0
LARGEST_BYTES: Final = 18 * 1024 * 1024
"""The connector sends up to 16 MiB, topics take 17, and the dead-letter topic 18: with key and reason."""
# consume() waits for a whole batch, and the end of a partition fills none.
_READ_SECONDS: Final = 0.1
REPLAYED: Final = f"{PREFIX}replayed"
_RECORDS_PER_TRANSACTION: Final = 500


def _quiet() -> logging.Logger:
    quiet = logging.getLogger("librdkafka")
    quiet.setLevel(logging.CRITICAL)
    return quiet


class KafkaDeadLetters:
    """A `DeadLetters`. The producer is made with the first dead letter: most processes never send one."""

    def __init__(self, bootstrap_servers: str, topic: str, timeout_seconds: float) -> None:
        """Connects to nothing."""
        self._topic = topic
        self._timeout_seconds = timeout_seconds
        self._configuration: dict[str, Any] = {
            "bootstrap.servers": bootstrap_servers,
            "client.id": "cdc-consumer-dead-letters",
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "message.max.bytes": LARGEST_BYTES,
            "delivery.timeout.ms": int(timeout_seconds * 1000),
        }
        self._producer: Producer | None = None

    def send(self, dead_letters: Sequence[DeadLetterRecord]) -> None:
        """See `DeadLetters.send`."""
        if self._producer is None:
            self._producer = Producer(self._configuration, logger=_quiet())
        failures: list[str] = []
        acknowledged = 0

        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            nonlocal acknowledged
            if error is None:
                acknowledged += 1
            else:
                failures.append(error.str())

        try:
            for dead_letter in dead_letters:
                self._produce(self._producer, dead_letter, on_delivery)
            # The library gives up a record after its delivery timeout; a little later all of them are answered.
            left = self._producer.flush(self._timeout_seconds + 1)
        except (KafkaException, BufferError) as error:
            raise FailedError(DeadLettersUnavailable(str(error))) from error
        if failures or left or acknowledged != len(dead_letters):
            raise FailedError(DeadLettersUnavailable(failures[0] if failures else "no answer in time"))

    def _produce(self, producer: Producer, dead_letter: DeadLetterRecord, on_delivery: Callable[..., None]) -> None:
        def produce() -> None:
            producer.produce(
                self._topic,
                key=dead_letter.address.encode(),
                value=dead_letter.value,
                headers=list[Any](dead_letter.to_headers()),
                on_delivery=on_delivery,
            )

        try:
            produce()
        except BufferError:
            producer.flush(self._timeout_seconds)
            produce()


class DeadLetterArchive:
    """Reads and replays dead letters, for the command line. Its consumer joins no group."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        """Connects to nothing."""
        self._servers = bootstrap_servers
        self._topic = topic

    def open(self) -> list[DeadLetterRecord]:
        """The dead letters that were not replayed yet, by address.

        Raises:
            KafkaException: Kafka does not answer, or there is no such topic.
        """
        return open_dead_letters(self._read())

    def replay(self, dead_letters: Collection[DeadLetterRecord]) -> int:
        """Produce the original bytes and headers to the partitions that they came from; returns how many records.

        A record and the tombstone of its dead letter are produced in one Kafka transaction: a replay that is broken off
        can be started again and repeats nothing.

        Raises:
            KafkaException: Kafka did not take them; those of earlier transactions stay replayed.
        """
        producer = Producer(
            {
                "bootstrap.servers": self._servers,
                "transactional.id": f"{self._topic}-replay",
                "message.max.bytes": LARGEST_BYTES,
            },
            logger=_quiet(),
        )
        producer.init_transactions(ASK_SECONDS)
        waiting = list(dead_letters)
        for first in range(0, len(waiting), _RECORDS_PER_TRANSACTION):
            producer.begin_transaction()
            try:
                for dead_letter in waiting[first : first + _RECORDS_PER_TRANSACTION]:
                    self._replay(producer, dead_letter)
                producer.commit_transaction(ASK_SECONDS)
            except KafkaException:
                producer.abort_transaction(ASK_SECONDS)
                raise
        return len(waiting)

    def _replay(self, producer: Producer, dead_letter: DeadLetterRecord) -> None:
        producer.produce(
            dead_letter.address.topic,
            partition=dead_letter.address.partition,
            key=dead_letter.key,
            value=dead_letter.value,
            headers=list[Any](dead_letter.headers),
        )
        producer.produce(self._topic, key=dead_letter.address.encode(), value=None, headers=[(REPLAYED, b"1")])

    def _read(self) -> list[tuple[bytes | None, bytes | None, Headers | None]]:
        consumer = Consumer(
            {
                "bootstrap.servers": self._servers,
                "group.id": f"{self._topic}-archive",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            },
            logger=_quiet(),
        )
        records: list[Any] = []
        silent = 0
        try:
            topic = consumer.list_topics(self._topic, timeout=ASK_SECONDS).topics[self._topic]
            if topic.error is not None:
                raise KafkaException(topic.error)
            left = set(topic.partitions)
            consumer.assign([TopicPartition(self._topic, partition, OFFSET_BEGINNING) for partition in left])
            while left:
                messages = consumer.consume(1000, _READ_SECONDS)
                silent = 0 if messages else silent + 1
                if silent * _READ_SECONDS >= ASK_SECONDS:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
                for message in messages:
                    error = message.error()
                    if error is None:
                        records.append((message.key(), message.value(), message.headers()))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard(message.partition() or 0)
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()
        return records
