"""The tools that infra/runbooks/README.md prints, run as they stand there."""

import io
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer, TopicPartition
from minio import Minio

from bank_common import names
from bank_common.landing.segments import SegmentKey
from bankctl.stack.stack import Stack

pytestmark = pytest.mark.contract

TOPIC = names.TABLES[0].topic


def _run(stack: Stack, tool: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    runbook = (stack.root / "infra" / "runbooks" / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(rf"^{tool}='([^']+)'$", runbook, re.MULTILINE)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _printed(done: "subprocess.CompletedProcess[str]") -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def keys(stack: Stack) -> Iterator[list[str]]:
    """Three objects of a chain that no table has, in the landing bucket."""
    store: Minio = stack.object_store()
    topic = f"test-{uuid.uuid4().hex}"
    made = [str(SegmentKey(topic, 0, start)) for start in (0, 900, 1200)]
    for key in made:
        store.put_object(names.BUCKET, key, io.BytesIO(b"x"), 1, metadata={"bank-rows": "7"})
    yield made
    for key in made:
        store.remove_object(names.BUCKET, key)


def test_list_prints_the_keys_of_a_chain_from_an_offset_on(stack: Stack, keys: list[str]) -> None:
    topic = keys[0].partition("/")[0]
    for start, expected in (("0", keys), ("1", keys[1:]), ("1200", keys[2:]), ("1201", [])):
        assert [line for line in _printed(_run(stack, "list", topic, "0", start)) if line] == expected


def test_move_takes_objects_with_their_metadata_to_another_bucket_and_back(stack: Stack, keys: list[str]) -> None:
    store: Minio = stack.object_store()
    aside = f"test-{uuid.uuid4().hex}"
    try:
        assert _printed(_run(stack, "move", names.BUCKET, aside, *keys[1:])) == keys[1:]
        assert [it.object_name for it in store.list_objects(aside, recursive=True)] == keys[1:]
        topic = keys[0].partition("/")[0]
        assert [it.object_name for it in store.list_objects(names.BUCKET, f"{topic}/", recursive=True)] == keys[:1]
        assert _printed(_run(stack, "move", aside, names.BUCKET, *keys[1:])) == keys[1:]
        metadata = store.stat_object(names.BUCKET, keys[2]).metadata or {}
        assert metadata["x-amz-meta-bank-rows"] == "7"
    finally:
        for left in store.list_objects(aside, recursive=True):
            store.remove_object(aside, str(left.object_name))
        store.remove_bucket(aside)


@contextmanager
def _member(stack: Stack, group: str) -> Iterator[Consumer]:
    consumer = Consumer({"bootstrap.servers": stack.bootstrap_servers, "group.id": group, "enable.auto.commit": False})
    try:
        yield consumer
    finally:
        consumer.close()


def _committed(stack: Stack, group: str) -> int:
    with _member(stack, group) as consumer:
        (partition,) = consumer.committed([TopicPartition(TOPIC, 0)], timeout=30)
        return partition.offset


def test_forget_deletes_the_groups_offsets_and_is_refused_while_a_member_runs(stack: Stack) -> None:
    group = f"test-{uuid.uuid4().hex}"
    told = {"CDC_CONSUMER_KAFKA__BOOTSTRAP_SERVERS": stack.bootstrap_servers, "CDC_CONSUMER_GROUP_ID": group}
    with _member(stack, group) as consumer:
        joined: list[object] = []
        consumer.subscribe([TOPIC], on_assign=lambda _consumer, partitions: joined.extend(partitions))
        for _ in range(60):
            consumer.poll(1.0)
            if joined:
                break
        assert joined
        consumer.commit(offsets=[TopicPartition(TOPIC, 0, 5)], asynchronous=False)
        refused = _run(stack, "forget", **told)
        assert refused.returncode != 0
        assert "NON_EMPTY_GROUP" in refused.stderr
    assert _committed(stack, group) == 5
    assert _printed(_run(stack, "forget", **told)) == []
    assert _committed(stack, group) < 0
