"""The dead-letter topic through confluent-kafka: writing letters, reading those that are open, replaying them."""

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from cdc_consumer.dead_letter import PREFIX, DeadLetter, open_letters
from cdc_consumer.failures import DeadLettersUnavailable, FailedError
from cdc_consumer.records import Headers

ASK_SECONDS: Final = 10.0
# consume() waits for a whole batch, and the end of a partition fills none.
_READ_SECONDS: Final = 0.1
REPLAYED: Final = f"{PREFIX}replayed"
_LETTERS_PER_TRANSACTION: Final = 500


def _quiet() -> logging.Logger:
    quiet = logging.getLogger("librdkafka")
    quiet.setLevel(logging.CRITICAL)
    return quiet


class KafkaDeadLetters:
    """A `DeadLetters`. The producer is made with the first letter: most processes never write one."""

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
            "message.max.bytes": 8 * 1024 * 1024,
            "delivery.timeout.ms": int(timeout_seconds * 1000),
        }
        self._producer: Producer | None = None

    def send(self, letters: Sequence[DeadLetter]) -> None:
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
            for letter in letters:
                self._produce(self._producer, letter, on_delivery)
            # The library gives up each letter after its delivery timeout; a little later all of them are answered.
            left = self._producer.flush(self._timeout_seconds + 1)
        except (KafkaException, BufferError) as error:
            raise FailedError(DeadLettersUnavailable(str(error))) from error
        if failures or left or acknowledged != len(letters):
            raise FailedError(DeadLettersUnavailable(failures[0] if failures else "no answer in time"))

    def _produce(self, producer: Producer, letter: DeadLetter, on_delivery: Callable[..., None]) -> None:
        def produce() -> None:
            producer.produce(
                self._topic,
                key=letter.address.encode(),
                value=letter.value,
                headers=list[Any](letter.to_headers()),
                on_delivery=on_delivery,
            )

        try:
            produce()
        except BufferError:
            producer.flush(self._timeout_seconds)
            produce()


class DeadLetterArchive:
    """Reads and replays letters; for the command line, with a reader of its own that belongs to no group."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        """Connects to nothing."""
        self._servers = bootstrap_servers
        self._topic = topic

    def open(self) -> list[DeadLetter]:
        """The letters that were not replayed yet, by address.

        Raises:
            KafkaException: Kafka does not answer, or there is no such topic.
        """
        return open_letters(self._read())

    def replay(self, letters: Collection[DeadLetter]) -> int:
        """Produce the original bytes and headers to the partitions they came from; how many.

        Each record and the note that its letter was replayed are one Kafka transaction: a replay that is broken off
        can be started again and repeats nothing.

        Raises:
            KafkaException: Kafka did not take them; those of earlier transactions stay replayed.
        """
        producer = Producer(
            {"bootstrap.servers": self._servers, "transactional.id": f"{self._topic}-replay"}, logger=_quiet()
        )
        producer.init_transactions(ASK_SECONDS)
        waiting = list(letters)
        for first in range(0, len(waiting), _LETTERS_PER_TRANSACTION):
            producer.begin_transaction()
            try:
                for letter in waiting[first : first + _LETTERS_PER_TRANSACTION]:
                    self._replay(producer, letter)
                producer.commit_transaction(ASK_SECONDS)
            except KafkaException:
                producer.abort_transaction(ASK_SECONDS)
                raise
        return len(waiting)

    def _replay(self, producer: Producer, letter: DeadLetter) -> None:
        producer.produce(
            letter.address.topic,
            partition=letter.address.partition,
            key=letter.key,
            value=letter.value,
            headers=list[Any](letter.headers),
        )
        producer.produce(self._topic, key=letter.address.encode(), value=None, headers=[(REPLAYED, b"1")])

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
        found: list[Any] = []
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
                        found.append((message.key(), message.value(), message.headers()))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard(message.partition() or 0)
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()
        return found
