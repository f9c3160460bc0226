"""Single changes at random instants beside light traffic, stage by stage: commit, Kafka, landed, RAW, mart."""

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from bank_common.names import BUCKET, TABLES
from benchmarks.steady.figures import quantile
from harness.native_driver import NativeDriver
from harness.traffic import SteadyTraffic
from harness.waiting import until

STAGES = ("Kafka", "landed", "RAW", "mart")
BESIDE_RATE = 1.0
PAUSE_SECONDS = 6.0
"""Between two probes, at most: long enough to fall anywhere in a cycle."""
LOOK_SECONDS = 0.1
ARRIVES_SECONDS = 120.0
CUSTOMERS = next(table for table in TABLES if table.name == "customers")


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """The partition, offset and time (seconds since the epoch) at which a reader of Kafka saw a record."""

    partition: int
    offset: int
    at: float


class KafkaTail:
    """A read_committed reader of the customers' topic from now on; it knows records by a text in their value."""

    def __init__(self, stack: NativeDriver) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": stack.bootstrap_servers,
                "group.id": "benchmark-steady",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
            }
        )
        ends = [TopicPartition(CUSTOMERS.topic, number) for number in range(CUSTOMERS.partitions)]
        for partition in ends:
            partition.offset = self._consumer.get_watermark_offsets(partition, timeout=10)[1]
        self._consumer.assign(ends)
        self._seen: list[tuple[bytes, SeenRecord]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "KafkaTail":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)
        self._consumer.close()

    def find(self, text: str) -> SeenRecord | None:
        """The first record whose value holds the text."""
        return next((record for value, record in self._seen if text.encode() in value), None)

    def _run(self) -> None:
        while not self._stopping.is_set():
            message = self._consumer.poll(0.2)
            value = message.value() if message is not None and message.error() is None else None
            if message is not None and value is not None:
                record = SeenRecord(message.partition() or 0, message.offset() or 0, time.time())
                self._seen.append((bytes(value), record))


def run(stack: NativeDriver, number: int, *, say: Callable[[str], None], seed: int = 7) -> list[dict[str, float]]:
    """Run probes one after the other; seconds from each commit to each stage."""
    chance = random.Random(seed)
    results: list[dict[str, float]] = []
    with SteadyTraffic(stack, BESIDE_RATE), KafkaTail(stack) as tail, stack.postgres() as bank:
        for count in range(1, number + 1):
            time.sleep(chance.uniform(0, PAUSE_SECONDS))
            results.append(_probe(stack, tail, bank))
            say(f"probe {count} of {number}: " + ", ".join(f"{stage} {results[-1][stage]:.2f}" for stage in STAGES))
    return results


def _probe(stack: NativeDriver, tail: KafkaTail, bank: Any) -> dict[str, float]:
    email = f"{uuid.uuid4().hex}@example.com"
    bank.execute("insert into customers (first_name, last_name, email) values ('Ada', 'Lovelace', %s)", (email,))
    committed = time.time()

    def shows(table: str) -> Callable[[], bool]:
        return lambda: stack.number(f"select count(*) from {table} where EMAIL = %s", email) > 0

    until("the probe is in RAW", shows("BANK.RAW.CUSTOMERS"), seconds=ARRIVES_SECONDS, every=LOOK_SECONDS)
    in_raw = time.time()
    until("the probe is in the mart", shows("BANK.MARTS.DIM_CUSTOMERS"), seconds=ARRIVES_SECONDS, every=LOOK_SECONDS)
    in_mart = time.time()
    record = tail.find(email)
    assert record is not None, "the probe is in the mart, but the reader of Kafka has not seen it"
    moments = (record.at, _landed_at(stack, record), in_raw, in_mart)
    return {stage: moment - committed for stage, moment in zip(STAGES, moments, strict=True)}


def _landed_at(stack: NativeDriver, record: SeenRecord) -> float:
    """When the object store took the segment that holds the record, by the store's clock (this machine's)."""
    prefix = f"{CUSTOMERS.topic}/{record.partition:04d}/"
    starts = {
        int(item.object_name.rpartition("/")[2].split(".")[0]): item.last_modified
        for item in stack.stack.object_store().list_objects(BUCKET, prefix=prefix, recursive=True)
    }
    return starts[max(start for start in starts if start <= record.offset)].timestamp()


def table(results: list[dict[str, float]]) -> str:
    """p50, p99 and most of each stage, from the commit, and how much of the median each stage adds."""
    lines = [
        f"commit to …, seconds, {len(results)} probes",
        f"  {'stage':<8}{'p50':>8}{'p99':>8}{'max':>8}{'adds p50':>9}",
    ]
    for before, stage in zip((None, *STAGES), STAGES, strict=False):
        values = [seen[stage] for seen in results]
        added = [seen[stage] - (seen[before] if before else 0.0) for seen in results]
        lines.append(
            f"  {stage:<8}{quantile(values, 0.5):>8.2f}{quantile(values, 0.99):>8.2f}{max(values):>8.2f}"
            f"{quantile(added, 0.5):>9.2f}"
        )
    return "\n".join(lines)
