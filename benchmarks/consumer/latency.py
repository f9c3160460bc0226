"""How long a change takes from its commit in Kafka until it is listed in the object store."""

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Producer
from minio import Minio

from bankctl.stack.stack import Stack
from benchmarks.consumer.fill import TOPIC, Reading, create_topic, delete_topic, producer, say, until
from benchmarks.consumer.process import ROOT, command, environment
from cdc_consumer.settings import ConsumerSettings

PARTITIONS: Final = 3
TRANSACTIONS: Final = 20
"""Kafka transactions a second."""
LIST_SECONDS: Final = 0.01
DIFFERENT: Final = 10_000
"""Records that come again and again."""
Raw = tuple[Any, Any]


class Source:
    """Produces real records at a steady rate, in Kafka transactions as the connector does, and notes their commits."""

    def __init__(self, stack: Stack, topic: str, records: list[Raw]) -> None:
        self.committed: dict[tuple[int, int], float] = {}
        """(partition, offset) -> when the commit of the record's transaction was asked for."""
        self._topic = topic
        self._records: Iterator[Raw] = cycle(records)
        self._producer: Producer = producer(stack, **{"transactional.id": topic})
        self._producer.init_transactions(30)

    def transaction(self, count: int) -> None:
        """Commit that many records."""
        addresses: list[Any] = []
        self._producer.begin_transaction()
        for number, (key, value) in enumerate(islice(self._records, count)):
            self._producer.produce(
                self._topic,
                key=key,
                value=value,
                partition=number % PARTITIONS,
                on_delivery=lambda _, message: addresses.append((message.partition(), message.offset())),
            )
        self._producer.flush(30)
        now = time.monotonic()
        self._producer.commit_transaction(30)
        self.committed |= dict.fromkeys(addresses, now)

    def steadily(self, rate: int, seconds: int) -> None:
        """Transactions at their times."""
        started = time.monotonic()
        for number in range(seconds * TRANSACTIONS):
            time.sleep(max(0.0, started + number / TRANSACTIONS - time.monotonic()))
            self.transaction(rate // TRANSACTIONS)


class Listing:
    """When each object was first listed."""

    def __init__(self, store: Minio, bucket: str) -> None:
        self.seen: dict[str, float] = {}
        self._store = store
        self._bucket = bucket

    def look(self) -> bool:
        """List once; whether there is something."""
        names = [str(entry.object_name) for entry in self._store.list_objects(self._bucket, recursive=True)]
        now = time.monotonic()
        for name in names:
            self.seen.setdefault(name, now)
        return bool(names)

    def visible(self) -> dict[tuple[int, int], float]:
        """(partition, offset) -> when the object that holds it was listed."""
        visible: dict[tuple[int, int], float] = {}
        for name, seen in self.seen.items():
            metadata = self._store.stat_object(self._bucket, name).metadata or {}
            start, end = (int(metadata[f"x-amz-meta-bank-{bound}"]) for bound in ("start", "end"))
            visible |= dict.fromkeys(((int(name.split("/")[1]), offset) for offset in range(start, end)), seen)
        return visible


def latency(stack: Stack, folder: Path, rate: int, seconds: int) -> None:
    """Print percentiles at one rate, with a consumer at default settings.

    Raises:
        SystemExit: a record did not become visible.
    """
    topic = f"benchmark-{os.getpid()}.rate{rate}"
    create_topic(stack, topic, PARTITIONS)
    with Reading(stack, TOPIC) as reading:
        batch = next(reading.batches())[:DIFFERENT]
    source = Source(stack, topic, [(message.key(), message.value()) for message in batch])
    name = f"benchmark-{os.getpid()}-rate{rate}"
    store = stack.object_store()
    store.make_bucket(name)
    listing = Listing(store, name)
    with (folder / "latency.log").open("ab") as log:
        process = subprocess.Popen(
            command("serving"),
            cwd=ROOT,
            env=environment(stack, name, topic, MAX_SEGMENTS_PER_SECOND="1000"),
            stdout=log,
            stderr=log,
        )
    try:
        source.transaction(PARTITIONS)
        until("the consumer stores something", listing.look, 60)
        source.committed.clear()
        work = threading.Thread(target=source.steadily, args=(rate, seconds))
        work.start()
        while work.is_alive():
            listing.look()
            time.sleep(LIST_SECONDS)
        until("all is visible", lambda: listing.look() and source.committed.keys() <= listing.visible().keys(), 30)
    finally:
        process.terminate()
        process.wait(20)
        delete_topic(stack, topic)
    visible = listing.visible()
    delays = sorted((visible[address] - asked) * 1000 for address, asked in source.committed.items())
    window = float(ConsumerSettings.model_fields["flush_seconds"].default) * 1000
    cuts = statistics.quantiles(delays, n=100)
    say(
        f"latency at {rate:,} changes/s ({len(delays):,} of them), commit in Kafka to listed: p50 {cuts[49]:.0f} ms, "
        f"p99 {cuts[98]:.0f} ms, most {delays[-1]:.0f} ms; beyond the window of {window:.0f} ms: "
        f"p50 {cuts[49] - window:.0f} ms, p99 {cuts[98] - window:.0f} ms"
    )
