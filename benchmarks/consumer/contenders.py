"""What reads the topics, as `python -m benchmarks.consumer.contenders NAME`; settings from CDC_CONSUMER_….

  consumer   this consumer, with the topics of BENCHMARK_TOPIC
  serving    the same, until it is stopped
  reference  the same with the reference decoder: fastavro, record by record
  plain      a loop as it is often written: poll one by one, one dict per record, `from_pylist`, no exact instants
  bound      consume, write columns that are there already, PUT: no decode can be faster

`plain` and `bound` end at the end of the topic, like `--until-caught-up`.
"""

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import fastavro
import obstore
import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka.schema_registry import SchemaRegistryClient
from obstore.store import S3Store

from bank_common.envelope.decoding import RecordDecoder, ReferenceDecoder
from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing.segments import SegmentKey
from cdc_consumer.consume import batcher
from cdc_consumer.main import serve
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.segments import segment
from cdc_consumer.settings import ConsumerSettings

TOPIC: Final = "BENCHMARK_TOPIC"
COLUMNS: Final = "BENCHMARK_COLUMNS"
"""Where `bound` finds its columns: one Arrow file for each object."""
PLAIN_COLUMNS: Final = pa.schema(
    [
        *(("id", pa.int64()), ("account_id", pa.int32()), ("txn_type", pa.string()), ("amount", pa.decimal128(18, 2))),
        *(("related_account_id", pa.int32()), ("status", pa.string()), ("created_at", pa.string())),
        *((name, pa.int64()) for name in ("_cdc_lsn", "_cdc_tx_id", "_cdc_offset")),
        *(("_cdc_partition", pa.int32()), ("_cdc_op", pa.string())),
    ]
)


def consumer(settings: ConsumerSettings, topic: str) -> int:
    """This consumer."""
    return serve(settings, LandedTopics({topic: TopicKind.CHANGES}, frozenset()), until_caught_up=True)


def serving(settings: ConsumerSettings, topic: str) -> int:
    """This consumer, until it is stopped."""
    return serve(settings, LandedTopics({topic: TopicKind.CHANGES}, frozenset()))


def reference(settings: ConsumerSettings, topic: str) -> int:
    """This consumer, with the reference decoder."""

    def slow(kind: TopicKind, decoder: RecordDecoder) -> ReferenceDecoder:
        return ReferenceDecoder(kind, decoder)

    batcher.arrow_decoder_for = slow
    return consumer(settings, topic)


class Stored:
    """Puts objects."""

    def __init__(self, settings: ConsumerSettings, topic: str) -> None:
        self._topic = topic
        self._store = S3Store(
            settings.bucket,
            endpoint=settings.store.endpoint,
            access_key_id=settings.store.access_key.get_secret_value(),
            secret_access_key=settings.store.secret_key.get_secret_value(),
            region=settings.store.region,
            client_options={"allow_http": True},
        )

    def put(self, partition: int, start: int, body: bytes | memoryview) -> None:
        """One object under the name that this consumer would give it."""
        key = str(SegmentKey(self._topic, partition, start))
        obstore.put(self._store, key, body, use_multipart=False)


class Read:
    """A group's reader that knows when all partitions have come to their end."""

    def __init__(self, settings: ConsumerSettings, topic: str) -> None:
        self.consumer = Consumer(
            {
                "bootstrap.servers": settings.kafka.bootstrap_servers,
                "group.id": settings.group_id,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            }
        )
        self.partitions = set(self.consumer.list_topics(topic, timeout=30).topics[topic].partitions)
        self._ended: set[int] = set()
        self.consumer.subscribe([topic])

    @property
    def ended(self) -> bool:
        """Whether there is nothing left."""
        return self._ended == self.partitions

    def check(self, message: Message) -> None:
        """Look at a message that is no record."""
        error = message.error()
        if error is None or error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        self._ended.add(message.partition() or 0)

    def leave(self) -> None:
        """Commit, so that the same run once more finds nothing left, and leave the group."""
        try:
            self.consumer.commit(asynchronous=False)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._NO_OFFSET:
                raise
        self.consumer.close()


def plain(settings: ConsumerSettings, topic: str) -> int:
    """The plain loop."""
    store, read = Stored(settings, topic), Read(settings, topic)
    registry, schemas = SchemaRegistryClient({"url": settings.registry.url}), dict[int, Any]()
    rows: dict[int, list[dict[str, Any]]] = {partition: [] for partition in read.partitions}

    def decoded(data: Any) -> Any:
        schema_id = int.from_bytes(data[1:5], "big")
        if schema_id not in schemas:
            schemas[schema_id] = fastavro.parse_schema(json.loads(registry.get_schema(schema_id).schema_str or ""))
        return fastavro.schemaless_reader(io.BytesIO(data[5:]), schemas[schema_id], None)

    def flush(partition: int) -> None:
        if flushed := rows[partition]:
            sink = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(flushed, PLAIN_COLUMNS), sink, compression="zstd")
            store.put(partition, flushed[0]["_cdc_offset"], sink.getvalue())
            rows[partition] = []

    while not read.ended:
        message = read.consumer.poll(0.2)
        if message is None:
            continue
        if message.error():
            read.check(message)
            continue
        event, partition = decoded(message.value()), message.partition() or 0
        source = event["source"]
        rows[partition].append(
            {
                **(event["after"] or decoded(message.key())),
                "_cdc_op": event["op"],
                "_cdc_lsn": source["lsn"],
                "_cdc_tx_id": source["txId"],
                "_cdc_offset": message.offset(),
                "_cdc_partition": partition,
            }
        )
        if len(rows[partition]) == settings.max_rows:
            flush(partition)
            read.consumer.commit(asynchronous=True)
    for partition in read.partitions:
        flush(partition)
    read.leave()
    return 0


def bound(settings: ConsumerSettings, topic: str) -> int:
    """No decode: each record is consumed, its bytes are taken, and when enough came ready columns are written."""
    store, read = Stored(settings, topic), Read(settings, topic)
    ready: dict[int, Iterator[pa.Table]] = {partition: _ready(partition) for partition in read.partitions}
    tables: dict[Any, pa.Table] = {}
    rows: dict[Any, int] = {}
    count: dict[Any, int] = {}

    def take(partition: int) -> None:
        tables[partition] = next(ready[partition], pa.table({}))
        rows[partition], count[partition] = tables[partition].num_rows, 0

    for partition_id in read.partitions:
        take(partition_id)
    while not read.ended:
        for message in read.consumer.consume(settings.max_poll_records, 0.2):
            if message.error():
                read.check(message)
                continue
            message.value()
            partition: Any = message.partition()
            count[partition] += 1
            if count[partition] == rows[partition]:
                table = tables[partition]
                store.put(partition, table["_cdc_offset"][0].as_py(), segment.parquet(table))
                take(partition)
    read.leave()
    return 0 if not any(count.values()) else 1


def _ready(partition: int) -> Iterator[pa.Table]:
    tables = [
        pa.ipc.open_file(str(path)).read_all() for path in sorted(Path(os.environ[COLUMNS]).glob(f"{partition}-*"))
    ]
    return iter(tables)


CONTENDERS: Final = {contender.__name__: contender for contender in (consumer, serving, reference, plain, bound)}

if __name__ == "__main__":
    sys.exit(CONTENDERS[sys.argv[1]](ConsumerSettings.load(), os.environ[TOPIC]))
