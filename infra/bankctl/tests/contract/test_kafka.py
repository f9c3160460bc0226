"""Topics on real brokers, and the rule of a real registry."""

import itertools
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from bankctl.devstack.components import kafka
from bankctl.provision import topics
from bankctl.provision.registry import ensure_compatibility
from bankctl.stack.stack import Stack

pytestmark = pytest.mark.contract


@pytest.fixture
def name(stack: Stack) -> Iterator[str]:
    """A topic's name that nobody else uses; the topic is deleted afterwards."""
    chosen = f"test.{uuid.uuid4().hex}"
    yield chosen
    admin = AdminClient({"bootstrap.servers": stack.bootstrap_servers})
    for answer in admin.delete_topics([chosen]).values():
        answer.result()


def test_a_storage_whose_id_begins_with_a_dash_is_formatted(stack: Stack, tmp_path: Path) -> None:
    """One folder in 64 has such an id."""
    folders = (tmp_path / str(number) for number in itertools.count())
    chosen = next(it for it in folders if kafka._short(uuid.uuid5(uuid.NAMESPACE_URL, str(it))).startswith("-"))
    kafka.BROKER.prepare(replace(stack, state_dir=chosen))
    assert "cluster.id=-" in (chosen / "data" / "kafka" / "logs" / "meta.properties").read_text()


def test_a_topic_is_created_once_and_an_equal_one_is_left_alone(stack: Stack, name: str) -> None:
    required = [topics.Topic(name, 3)]
    assert topics.ensure(stack.bootstrap_servers, required) == (name,)
    assert topics.ensure(stack.bootstrap_servers, required) == ()


def test_a_topic_that_differs_is_refused_and_nothing_is_created(stack: Stack, name: str) -> None:
    topics.ensure(stack.bootstrap_servers, [topics.Topic(name, 1)])
    other = f"{name}.other"
    with pytest.raises(topics.TopicError, match="has 1 partitions instead of 3"):
        topics.ensure(stack.bootstrap_servers, [topics.Topic(other), topics.Topic(name, 3)])
    assert other not in AdminClient({"bootstrap.servers": stack.bootstrap_servers}).list_topics(timeout=10).topics


def test_a_topic_of_before_takes_larger_records_afterwards(stack: Stack, name: str) -> None:
    topics.ensure(stack.bootstrap_servers, [topics.Topic(name)])
    larger = topics.Topic(name, record_bytes=topics.LARGEST_RECORD_BYTES)
    assert topics.ensure(stack.bootstrap_servers, [larger]) == ()
    admin = AdminClient({"bootstrap.servers": stack.bootstrap_servers})
    assert topics.too_small([larger], topics._existing(admin, [name])) == ()
    refused: list[object] = []
    producer = Producer({"bootstrap.servers": stack.bootstrap_servers, "message.max.bytes": 2**24})
    producer.produce(name, b"x" * 2**23, on_delivery=lambda error, _: refused.append(error))
    assert producer.flush(30) == 0
    assert refused == [None]


def test_the_stacks_topics_are_all_there(stack: Stack) -> None:
    assert topics.ensure(stack.bootstrap_servers, topics.required()) == ()


def _record(*fields: Mapping[str, object]) -> dict[str, str]:
    return {"schema": json.dumps({"type": "record", "name": "R", "fields": [{"name": "id", "type": "int"}, *fields]})}


def test_a_schema_that_old_data_does_not_fit_is_taken_whatever_the_rule_was_before(stack: Stack) -> None:
    optional = {"name": "note", "type": ["null", "string"], "default": None}
    required = {"name": "amount", "type": "long"}
    subject = f"/subjects/test-{uuid.uuid4().hex}"
    with httpx.Client(base_url=stack.url("registry"), timeout=30) as client:
        client.put("/config", json={"compatibility": "BACKWARD"}).raise_for_status()
        ensure_compatibility(stack.url("registry"))
        try:
            for fields in ((), (optional,), (optional, required)):
                assert client.post(f"{subject}/versions", json=_record(*fields)).status_code == 200
        finally:
            client.delete(subject)
