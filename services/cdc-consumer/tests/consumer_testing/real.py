"""The real Kafka, registry and object store of the test stack: produce like Debezium does, and read back without
any code of the consumer."""

import io
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import obstore
import pyarrow.parquet as pq
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from obstore.store import S3Store

PREFIX = "CDC_CONSUMER_"
T = TypeVar("T")


def environment() -> dict[str, str]:
    """The consumer's environment in the test stack: what is exported, else the file that `bank up` rendered.

    Raises:
        RuntimeError: there is no test stack; these tests never skip themselves.
    """
    exported = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    if f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS" in exported:
        return exported
    state = os.environ.get("BANKCTL_STATE_DIR")
    rendered = Path(state, "env", "cdc-consumer.env") if state else None
    if rendered is None or not rendered.exists():
        raise RuntimeError("no test stack: run `make contract`, or export CDC_CONSUMER_… of a running one")
    lines = rendered.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line.startswith(PREFIX))
    return {name: value.strip("'\"") for name, value in pairs}


def until(what: str, probe: Callable[[], T | None], seconds: float = 60) -> T:
    """Poll until the probe gives something true, or fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


@dataclass
class Sandbox:
    """One test's corner of the stack: topics, group and keys with a prefix of their own."""

    env: dict[str, str]
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}")

    @property
    def bootstrap_servers(self) -> str:
        return self.env[f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS"]

    @property
    def bucket(self) -> str:
        return self.env.get(f"{PREFIX}BUCKET", "bank-landing")

    @property
    def group(self) -> str:
        return f"{self.prefix}-group"

    def topic(self, name: str) -> str:
        """A topic of this test."""
        return f"{self.prefix}.{name}"

    # -- Kafka -------------------------------------------------------------------------------------------------

    @cached_property
    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap_servers})

    def create_topic(self, name: str, partitions: int = 1) -> str:
        """Create a topic and wait until it is known."""
        topic = self.topic(name)
        self.admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(20)
        until(f"{topic} exists", lambda: topic in self.admin.list_topics(timeout=5).topics)
        return topic

    def delete_topic(self, topic: str) -> None:
        """Delete a topic and wait until it is gone."""
        self.admin.delete_topics([topic])[topic].result(20)
        until(f"{topic} is gone", lambda: topic not in self.admin.list_topics(timeout=5).topics)

    def producer(self, *, transactional: bool = False) -> Producer:
        """A producer; a transactional one leaves markers in the log, so that offsets have holes."""
        configuration: dict[str, Any] = {"bootstrap.servers": self.bootstrap_servers, "linger.ms": 5}
        if transactional:
            configuration["transactional.id"] = f"{self.prefix}-{uuid.uuid4().hex[:6]}"
        producer = Producer(configuration)
        if transactional:
            producer.init_transactions(30)
        return producer

    def committed(self, topic: str, partition: int = 0) -> TopicPartition:
        """What the consumer's group has committed."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap_servers, "group.id": self.group})
        try:
            return consumer.committed([TopicPartition(topic, partition)], timeout=10)[0]
        finally:
            consumer.close()

    def dead_letters(self) -> list[tuple[bytes | None, bytes | None, dict[str, Any]]]:
        """What lies in this test's dead-letter topic, by a plain reader: key, value, headers."""
        return [
            (message.key(), message.value(), dict(message.headers() or ()))  # pyright: ignore[reportReturnType]
            for messages in self.batches(self.topic("dead-letters"))
            for message in messages
        ]

    def read_committed(self, topic: str) -> dict[tuple[int, int], bytes | None]:
        """The oracle: (partition, offset) -> value of every committed record, by a plain reader."""
        return {
            (message.partition() or 0, message.offset() or 0): message.value()  # pyright: ignore[reportReturnType]
            for messages in self.batches(topic)
            for message in messages
        }

    def batches(self, topic: str) -> Iterator[list[Message]]:
        """Every committed record of a topic, by a plain reader."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "group.id": f"{self.prefix}-oracle",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 10,  # the end of a partition is told by an answer without records
            }
        )
        try:
            partitions = set(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
            consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
            while partitions:
                messages: list[Message] = []
                # A short timeout: consume() waits for the whole batch, and the end of a partition fills none.
                for message in consumer.consume(10_000, timeout=0.1):
                    error = message.error()
                    if error is None:
                        messages.append(message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        partitions.discard(message.partition())
                    else:
                        raise KafkaException(error)
                yield messages
        finally:
            consumer.close()

    # -- registry ----------------------------------------------------------------------------------------------

    def register(self, subject: str, schema: dict[str, Any]) -> int:
        """Register a schema; its id."""
        client = SchemaRegistryClient({"url": self.env[f"{PREFIX}REGISTRY__URL"]})
        return client.register_schema(f"{self.prefix}-{subject}", Schema(json.dumps(schema), "AVRO"))

    # -- object store ------------------------------------------------------------------------------------------

    @property
    def store_endpoint(self) -> str:
        return self.env[f"{PREFIX}STORE__ENDPOINT"]

    @property
    def store(self) -> S3Store:
        return S3Store(
            self.bucket,
            endpoint=self.store_endpoint,
            access_key_id=self.env[f"{PREFIX}STORE__ACCESS_KEY"],
            secret_access_key=self.env[f"{PREFIX}STORE__SECRET_KEY"],
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def landed_keys(self, topic: str) -> list[str]:
        """The keys of a topic's chains, in order."""
        return sorted(entry["path"] for page in obstore.list(self.store, topic) for entry in page)

    def segments(self, topic: str) -> Iterator[tuple[str, dict[str, str], Any]]:
        """Each landed object of a topic: key, user metadata, Arrow table."""
        for key in self.landed_keys(topic):
            answer = obstore.get(self.store, key)
            metadata = dict(answer.attributes)
            yield key, metadata, pq.read_table(io.BytesIO(answer.bytes().to_bytes()))

    def landed_offsets(self, topic: str) -> list[tuple[int, int]]:
        """(partition, offset) of every landed row, repeats included."""
        offsets: list[tuple[int, int]] = []
        for _, _, table in self.segments(topic):
            offsets += zip(table["_cdc_partition"].to_pylist(), table["_cdc_offset"].to_pylist(), strict=True)
        return offsets

    def ranges(self, topic: str) -> dict[int, list[tuple[int, int]]]:
        """The offset ranges of each partition's segments, in order."""
        ranges: dict[int, list[tuple[int, int]]] = {}
        for key in self.landed_keys(topic):
            metadata = obstore.get(self.store, key, options={"head": True}).attributes
            partition = int(key.split("/")[1])
            ranges.setdefault(partition, []).append((int(metadata["bank-start"]), int(metadata["bank-end"])))
        return ranges
