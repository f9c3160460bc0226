"""The consumer as a process against real Kafka, registry and object store, under SIGKILL, SIGSTOP and SIGTERM."""

import os
import signal
import time
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from consumer_testing.bank import Bank
from consumer_testing.debezium import ACCOUNT_FIELDS, NOTE_FIELD, TRANSACTION, change, envelope, framed
from consumer_testing.process import ConsumerProcess
from consumer_testing.proxy import FaultyProxy
from consumer_testing.real import World, until

pytestmark = [pytest.mark.contract, pytest.mark.timeout(180)]


def landed_all(world: World, topic: str) -> bool:
    return set(world.landed_offsets(topic)) >= set(world.read_committed(topic))


def assert_exactly_once(world: World, topic: str, context: str = "") -> None:
    """I5: an independent reader's offsets, each once; and the chains are contiguous."""
    landed = world.landed_offsets(topic)
    expected = set(world.read_committed(topic))
    assert sorted(landed) == sorted(expected), f"missing or doubled {context}"
    for partition, ranges in world.ranges(topic).items():
        assert all(left[1] == right[0] for left, right in pairwise(ranges)), (partition, ranges)


SLEEPS = int(os.environ.get("CHAOS_SLEEPS", "2"))


def test_a_stop_stores_and_commits_what_was_read(world: World, tmp_path: Path) -> None:
    bank = Bank(world, partitions=1)
    kinds = {bank.topic: "changes"}
    for _ in range(2):
        with ConsumerProcess(world, kinds, tmp_path / "log", flush_seconds="600") as consumer:
            bank.transaction(20)
            until("it has read", lambda: consumer.metric("bank_consumer_records_total") >= 20)
            assert consumer.terminate() == 0
    assert_exactly_once(world, bank.topic)
    [ranges] = world.ranges(bank.topic).values()
    assert len(ranges) == 2, "each stop stores what was read"
    assert world.committed(bank.topic).offset == ranges[-1][1]


@pytest.mark.parametrize("sleep", range(SLEEPS))
def test_two_owners_never_both_contribute(world: World, tmp_path: Path, sleep: int) -> None:
    """I6: a consumer that sleeps past its session is replaced; when it wakes, it finds its names taken."""
    bank = Bank(world, partitions=1)
    kinds = {bank.topic: "changes"}
    with ConsumerProcess(world, kinds, tmp_path / "sleeper", flush_seconds="2") as sleeper:
        until("the sleeper reads", lambda: sleeper.events("resumed"))
        bank.transaction(30)
        until("the sleeper has read", lambda: sleeper.metric("bank_consumer_records_total") >= 30)
        sleeper.signal(signal.SIGSTOP)
        with ConsumerProcess(world, kinds, tmp_path / "heir", flush_seconds="0.05") as heir:
            until("the heir lands", lambda: heir.events("segment_stored"), 90)
            bank.transaction(30)
            until("the heir lands all", lambda: landed_all(world, bank.topic))
            sleeper.signal(signal.SIGCONT)
            bank.transaction(30)
            woken = ("race_lost", "lost", "revoked")
            until("both are awake", lambda: any(sleeper.events(name) for name in woken), 60)
            until("all landed", lambda: landed_all(world, bank.topic))
            assert heir.terminate() == 0
        assert sleeper.running
        assert sleeper.terminate() == 0
    assert_exactly_once(world, bank.topic)


def test_a_member_whose_name_another_one_takes_halts(world: World, tmp_path: Path) -> None:
    """Two processes with one GROUP_INSTANCE_ID: the older one, with records that it has not stored yet, is fenced."""
    bank = Bank(world, partitions=1)
    kinds = {bank.topic: "changes"}
    name = f"{world.prefix}-member"
    with ConsumerProcess(world, kinds, tmp_path / "older", group_instance_id=name, flush_seconds="600") as older:
        bank.transaction(30)
        until("the older one has read", lambda: older.metric("bank_consumer_records_total") >= 30)
        with ConsumerProcess(world, kinds, tmp_path / "newer", group_instance_id=name) as newer:
            assert older.wait() == 3
            bank.transaction(30)
            until("the newer one lands the rest", lambda: landed_all(world, bank.topic))
            assert newer.terminate() == 0
    [halt] = older.events("halted")
    assert "fenced by other consumer with same group.instance.id" in halt["reason"]
    assert "CDC_CONSUMER_GROUP_INSTANCE_ID" in halt["advice"]
    assert_exactly_once(world, bank.topic)


def test_the_brokers_refuse_a_member_whose_name_is_taken(world: World, tmp_path: Path) -> None:
    """KIP-848: the one that has the name keeps it."""
    bank = Bank(world, partitions=1)
    kinds = {bank.topic: "changes"}
    name = f"{world.prefix}-member"
    member = partial(ConsumerProcess, world, kinds, group_instance_id=name, group_protocol="consumer")
    with member(tmp_path / "older") as older:
        bank.transaction(30)
        until("the older one lands", lambda: landed_all(world, bank.topic))
        with member(tmp_path / "newer") as newer:
            assert newer.wait() == 3
        bank.transaction(30)
        until("the older one goes on", lambda: landed_all(world, bank.topic))
        assert older.terminate() == 0
    [halt] = newer.events("halted")
    assert "instance ID is still used by another member" in halt["reason"]
    assert "CDC_CONSUMER_GROUP_INSTANCE_ID" in halt["advice"]
    assert_exactly_once(world, bank.topic)


def test_the_brokers_may_assign_the_partitions(world: World, tmp_path: Path) -> None:
    """KIP-848: two members share the topic, one leaves, and every record lands once."""
    bank = Bank(world)
    kinds = {bank.topic: "changes"}
    with (
        ConsumerProcess(world, kinds, tmp_path / "first", group_protocol="consumer") as first,
        ConsumerProcess(world, kinds, tmp_path / "second", group_protocol="consumer") as second,
    ):
        for consumer in (first, second):
            until("it has a share", lambda: consumer.events("resumed"), 90)  # noqa: B023
        bank.transaction(60)
        until("all landed", lambda: landed_all(world, bank.topic))
        assert first.terminate() == 0
        bank.transaction(60)
        until("the other one took over", lambda: landed_all(world, bank.topic), 90)
        assert second.terminate() == 0
    assert_exactly_once(world, bank.topic)


def test_an_answer_that_was_lost_is_no_second_segment(world: World, tmp_path: Path) -> None:
    """I7: the store has created the object and nobody heard of it. Three segments in a row, then one three times."""
    bank = Bank(world, partitions=1)
    lost = (1, 1, 1, 3)
    with (
        FaultyProxy(world.store_endpoint) as proxy,
        ConsumerProcess(world, {bank.topic: "changes"}, tmp_path / "log", store__endpoint=proxy.url) as consumer,
    ):
        for answers in lost:
            proxy.lose_put_answers = answers
            bank.transaction(20)
            until("it hears of all", lambda: sum(e["rows"] for e in consumer.events("segment_stored")) == bank.number)
        assert proxy.lost == sum(lost)
        assert consumer.terminate() == 0
    assert sum(stored["answer_was_lost"] for stored in consumer.events("segment_stored")) == len(lost)
    assert consumer.events("race_lost") == []
    assert_exactly_once(world, bank.topic)


def test_a_schema_change_starts_a_new_segment(world: World, tmp_path: Path) -> None:
    bank = Bank(world, partitions=1)
    wider = envelope([*ACCOUNT_FIELDS, NOTE_FIELD])
    wider_id = world.register("value", wider)
    with ConsumerProcess(world, {bank.topic: "changes"}, tmp_path / "log", flush_seconds="600") as consumer:
        bank.transaction(5)
        plain = world.producer()
        for note in ("a", None):
            plain.produce(bank.topic, value=framed(wider_id, wider, change("u", {**bank.row(), "note": note})))
        plain.flush()
        bank.transaction(5)
        until("it has read", lambda: consumer.metric("bank_consumer_records_total") >= 12)
        assert consumer.terminate() == 0
    assert_exactly_once(world, bank.topic)
    segments = [(meta["bank-schema-id"], table.schema.names) for _, meta, table in world.segments(bank.topic)]
    assert [schema_id for schema_id, _ in segments] == [str(bank.schema_id), str(wider_id), str(bank.schema_id)]
    assert ["note" in names for _, names in segments] == [False, True, False]


def test_a_recreated_topic_halts(world: World, tmp_path: Path) -> None:
    bank = Bank(world, partitions=1)
    bank.transaction(5)
    kinds = {bank.topic: "changes"}
    with ConsumerProcess(world, kinds, tmp_path / "log") as consumer:
        until("all landed", lambda: landed_all(world, bank.topic))
        assert consumer.terminate() == 0
    world.delete_topic(bank.topic)
    world.create_topic("public.accounts")
    with ConsumerProcess(world, kinds, tmp_path / "log") as consumer:
        assert consumer.wait() == 3
        [halt] = consumer.events("halted")
    assert "deleted and created again" in halt["reason"]
    assert "bank down --wipe" in halt["advice"]


def test_an_idle_bank_lands_nothing_until_asked_to_stop(world: World, tmp_path: Path) -> None:
    """M10: BEGIN and END of heartbeats wait; an END that counts a RAW table does not."""
    topic = world.create_topic("transaction")
    schema_id = world.register("transaction", TRANSACTION)
    producer = world.producer()

    def produce(status: str, tx_id: int, collections: list[dict[str, Any]] | None) -> None:
        value = {"status": status, "id": f"{tx_id}:{tx_id}", "ts_ms": 1, "data_collections": collections}
        value["event_count"] = None if collections is None else len(collections)
        producer.produce(topic, value=framed(schema_id, TRANSACTION, value))
        producer.flush()

    with ConsumerProcess(
        world, {topic: "transactions"}, tmp_path / "log", captured=("public.accounts",), flush_seconds="0.1"
    ) as consumer:
        produce("BEGIN", 1, None)
        produce("END", 1, [{"data_collection": "public.cdc_heartbeat", "event_count": 1}])
        until("both are read", lambda: consumer.metric("bank_consumer_records_total") >= 2)
        time.sleep(1)  # ten times flush_seconds: the absence of a segment can't be polled for
        assert world.landed_keys(topic) == []
        produce("END", 2, [{"data_collection": "public.accounts", "event_count": 1}])
        until("the END of a captured table lands at once", lambda: world.landed_keys(topic))
        assert [row for _, row in world.landed_offsets(topic)] == [0, 1, 2]
        produce("BEGIN", 3, None)
        until("the next BEGIN is read", lambda: consumer.metric("bank_consumer_records_total") >= 4)
        assert consumer.terminate() == 0
    assert_exactly_once(world, topic)
