"""Latency of a single change on a quiet stack, stage by stage. Prints figures; asserts arrival, never speed.

`make test` runs the checks beside it, which costs seconds: the figure to quote is that of `make e2e` alone. The suite's
stack has target lag 0 (Makefile): the pipeline's own time, nothing waited for.
"""

import statistics
import time
import uuid

import pytest
from confluent_kafka import Consumer, TopicPartition

from bank_common.names import BUCKET, TABLES
from harness.stack_driver import StackDriver
from harness.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
ROUNDS = 3
STAGES = ("Kafka", "landed", "RAW", "mart")
PROBE_SECONDS = (0.02, 0.05, 0.1, 0.25)
"""Between two looks at each stage: a probe's own queries cost the pipeline's two cores."""


def _tail_reader(stack: StackDriver, topic: str) -> Consumer:
    reader = Consumer(
        {
            "bootstrap.servers": stack.bootstrap_servers,
            "group.id": "e2e-latency",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    partitions = reader.list_topics(topic, timeout=10).topics[topic].partitions
    ends = [TopicPartition(topic, number) for number in partitions]
    for partition in ends:
        partition.offset = reader.get_watermark_offsets(partition, timeout=10)[1]
    reader.assign(ends)
    return reader


def test_single_change_stage_by_stage(converged: StackDriver) -> None:
    stack, table = converged, TABLES[0]
    rounds: list[dict[str, float]] = []
    store = stack.stack.object_store()
    for _ in range(ROUNDS):
        until("the last build is over", lambda: not stack.active_builds(), seconds=240, every=0.5)
        email = f"{uuid.uuid4().hex}@example.com"
        reader = _tail_reader(stack, table.topic)
        with stack.postgres() as bank:
            objects = sum(1 for _ in store.list_objects(BUCKET, prefix=f"{table.topic}/", recursive=True))
            start = time.monotonic()
            bank.execute(
                "insert into customers (first_name, last_name, email) values ('Grace', 'Hopper', %s)", (email,)
            )

            def in_raw(email=email) -> bool:
                return stack.number("select count(*) from BANK.RAW.CUSTOMERS where EMAIL = %s", email) == 1

            def in_mart(email=email) -> bool:
                return stack.number("select count(*) from BANK.MARTS.DIM_CUSTOMERS where EMAIL = %s", email) == 1

            def landed(objects=objects) -> bool:
                return sum(1 for _ in store.list_objects(BUCKET, prefix=f"{table.topic}/", recursive=True)) > objects

            probes = (lambda reader=reader: reader.poll(0.01) is not None, landed, in_raw, in_mart)
            seen: dict[str, float] = {}
            for stage, probe, every in zip(STAGES, probes, PROBE_SECONDS, strict=True):
                until(f"the change is in {stage}", probe, seconds=240, every=every)
                seen[stage] = time.monotonic() - start
            rounds.append(seen)
        reader.close()
    print("\ncommit to …, seconds (p50, min-max of", ROUNDS, "single changes, nothing else under way in the stack)")
    for stage in STAGES:
        values = [seen[stage] for seen in rounds]
        print(f"  {stage:<7} {statistics.median(values):6.2f}  {min(values):.2f}-{max(values):.2f}")
    assert len(rounds) == ROUNDS
