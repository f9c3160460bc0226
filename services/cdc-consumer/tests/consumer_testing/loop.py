"""The loop on fakes: members with connections of their own to one broker and one bucket."""

import io
from itertools import pairwise

import pyarrow.parquet as pq
from envelope_testing.debezium import ACCOUNT_FIELDS, change, envelope, framed, key_schema
from prometheus_client import CollectorRegistry

from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing.segments import TopicPartition
from bank_common.runtime.logging import get_logger
from bank_common.runtime.service import Readiness
from cdc_consumer.consume.dependencies import DEPENDENCIES
from cdc_consumer.consume.loop import Consumer, LoopSettings
from cdc_consumer.metrics import ConsumerMetrics
from cdc_consumer.model.dead_letter_limit import DeadLetterLimits
from cdc_consumer.model.flush_limits import FlushLimits
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.ports import Outside
from cdc_consumer.runtime import Runtime
from consumer_testing.fakes import (
    WRITTEN,
    FaultyObjectStore,
    ManualClock,
    MemoryBroker,
    MemoryDeadLetters,
    MemoryLog,
    MemoryObjectStore,
    MemoryRegistry,
)

A, B = TopicPartition("rows", 0), TopicPartition("rows", 1)
ENVELOPE = envelope(ACCOUNT_FIELDS)
ROW = {"id": 1, "customer_id": 1, "account_type": "A", "balance": b"\x01", "created_at": None}
VALUE = framed(1, ENVELOPE, change("c", ROW))
KEY = framed(2, key_schema(), {"id": 1})
LIMITS = FlushLimits(max_rows=4, max_bytes=10**9, max_total_bytes=10**9, flush_seconds=1, idle_flush_seconds=300)

DEAD_LETTER_LIMITS = DeadLetterLimits(max_ratio=0.5, max_run=3, window=20)


class Member:
    """A consumer with its own connection to a shared broker and a shared bucket."""

    def __init__(
        self,
        broker: MemoryBroker,
        bucket: MemoryObjectStore,
        registry: MemoryRegistry | None = None,
        *,
        poll_seconds: float = 0,
        limits: FlushLimits = LIMITS,
    ) -> None:
        self.kafka = MemoryLog(broker)
        self.store = FaultyObjectStore(bucket)
        self.registry = registry or MemoryRegistry({1: ENVELOPE, 2: key_schema()})
        self.dead_letters = MemoryDeadLetters()
        self.metrics = CollectorRegistry()
        self.clock = ManualClock()
        self.kafka.on_wait = self.clock.advance
        self.readiness = Readiness(DEPENDENCIES)
        self.consumer = Consumer(
            Outside(self.kafka, self.store, self.registry, self.dead_letters),
            LandedTopics({"rows": TopicKind.CHANGES}, frozenset()),
            LoopSettings(limits, DEAD_LETTER_LIMITS, max_poll_records=3, poll_seconds=poll_seconds),
            self.readiness,
            Runtime(
                self.clock,
                get_logger("test"),
                ConsumerMetrics(self.metrics),
                wall_clock=lambda: WRITTEN + 5.0,
            ),
        )
        self.kafka.subscribe(["rows"], self.consumer)

    def metric(self, name: str, topic_partition: TopicPartition, **labels: str) -> float | None:
        where = {"topic": topic_partition.topic, "partition": str(topic_partition.partition)}
        return self.metrics.get_sample_value(f"bank_consumer_{name}", where | labels)

    def turns(self, count: int = 1, seconds: float = 0.5) -> None:
        for _ in range(count):
            self.consumer.run_once()
            self.clock.advance(seconds)


class Harness:
    """One broker with two partitions, and one bucket."""

    def __init__(self) -> None:
        self.broker = MemoryBroker([A, B])
        self.bucket = MemoryObjectStore()

    def member(self, *partitions: TopicPartition, poll_seconds: float = 0, limits: FlushLimits = LIMITS) -> Member:
        member = Member(self.broker, self.bucket, poll_seconds=poll_seconds, limits=limits)
        if partitions:
            member.kafka.assign(*partitions)
        return member

    def produce(self, topic_partition: TopicPartition, count: int = 1) -> None:
        for _ in range(count):
            self.broker.produce(topic_partition, VALUE, KEY)

    def landed(self, topic_partition: TopicPartition) -> list[int]:
        prefix = f"{topic_partition.topic}/{topic_partition.partition:04d}/"
        keys = self.bucket.keys(prefix)
        tables = [pq.read_table(io.BytesIO(self.bucket.objects[key].body)) for key in keys]
        return [offset for table in tables for offset in table["_cdc_offset"].to_pylist()]

    def assert_contiguous(self, topic_partition: TopicPartition) -> None:
        keys = self.bucket.keys(f"{topic_partition.topic}/{topic_partition.partition:04d}/")
        ranges = [self.bucket.objects[key].metadata for key in keys]
        assert all(left["bank-end"] == right["bank-start"] for left, right in pairwise(ranges))

    def assert_exactly_once(self) -> None:
        for topic_partition in (A, B):
            assert self.landed(topic_partition) == sorted(self.broker.records[topic_partition])
            self.assert_contiguous(topic_partition)
