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
from consumer_testing.process import ConsumerProcess
from consumer_testing.proxy import FaultyProxy
from consumer_testing.real import Sandbox, until
from envelope_testing.debezium import ACCOUNT_FIELDS, NOTE_FIELD, TRANSACTION, change, envelope, framed

pytestmark = [pytest.mark.contract, pytest.mark.timeout(180)]


def landed_all(sandbox: Sandbox, topic: str) -> bool:
    return set(sandbox.landed_offsets(topic)) >= set(sandbox.read_committed(topic))


def assert_exactly_once(sandbox: Sandbox, topic: str, context: str = "") -> None:
    """I5: an independent reader's offsets, each once; and the chains are contiguous."""
    landed = sandbox.landed_offsets(topic)
    expected = set(sandbox.read_committed(topic))
    assert sorted(landed) == sorted(expected), f"missing or doubled {context}"
    for partition, ranges in sandbox.ranges(topic).items():
        assert all(left[1] == right[0] for left, right in pairwise(ranges)), (partition, ranges)


SLEEPS = int(os.environ.get("CHAOS_SLEEPS", "2"))


def test_a_stop_stores_and_commits_what_was_read(sandbox: Sandbox, tmp_path: Path) -> None:
    bank = Bank(sandbox, partitions=1)
    kinds = {bank.topic: "changes"}
    for _ in range(2):
        with ConsumerProcess(sandbox, kinds, tmp_path / "log", flush_seconds="600") as consumer:
            bank.transaction(20)
            until("it has read", lambda: consumer.metric("bank_consumer_records_total") >= 20)
            assert consumer.terminate() == 0
    assert_exactly_once(sandbox, bank.topic)
    [ranges] = sandbox.ranges(bank.topic).values()
    assert len(ranges) == 2, "each stop stores what was read"
    assert sandbox.committed(bank.topic).offset == ranges[-1][1]


@pytest.mark.parametrize("sleep", range(SLEEPS))
def test_two_owners_never_both_contribute(sandbox: Sandbox, tmp_path: Path, sleep: int) -> None:
    """I6: a consumer that sleeps past its session is replaced; when it wakes, it finds its names taken."""
    bank = Bank(sandbox, partitions=1)
    kinds = {bank.topic: "changes"}
    with ConsumerProcess(sandbox, kinds, tmp_path / "sleeper", flush_seconds="2") as sleeper:
        until("the sleeper reads", lambda: sleeper.events("resumed"))
        bank.transaction(30)
        until("the sleeper has read", lambda: sleeper.metric("bank_consumer_records_total") >= 30)
        sleeper.signal(signal.SIGSTOP)
        with ConsumerProcess(sandbox, kinds, tmp_path / "heir", flush_seconds="0.05") as heir:
            until("the heir lands", lambda: heir.events("segment_stored"), 90)
            bank.transaction(30)
            until("the heir lands all", lambda: landed_all(sandbox, bank.topic))
            sleeper.signal(signal.SIGCONT)
            bank.transaction(30)
            woken = ("race_lost", "lost", "revoked")
            until("both are awake", lambda: any(sleeper.events(name) for name in woken), 60)
            until("all landed", lambda: landed_all(sandbox, bank.topic))
            assert heir.terminate() == 0
        assert sleeper.running
        assert sleeper.terminate() == 0
    assert_exactly_once(sandbox, bank.topic)


def test_a_member_whose_name_another_one_takes_halts(sandbox: Sandbox, tmp_path: Path) -> None:
    """Two processes with one GROUP_INSTANCE_ID: the older one, with records that it has not stored yet, is fenced."""
    bank = Bank(sandbox, partitions=1)
    kinds = {bank.topic: "changes"}
    name = f"{sandbox.prefix}-member"
    with ConsumerProcess(sandbox, kinds, tmp_path / "older", group_instance_id=name, flush_seconds="600") as older:
        bank.transaction(30)
        until("the older one has read", lambda: older.metric("bank_consumer_records_total") >= 30)
        with ConsumerProcess(sandbox, kinds, tmp_path / "newer", group_instance_id=name) as newer:
            assert older.wait() == 3
            bank.transaction(30)
            until("the newer one lands the rest", lambda: landed_all(sandbox, bank.topic))
            assert newer.terminate() == 0
    [halt] = older.events("halted")
    assert "fenced by other consumer with same group.instance.id" in halt["reason"]
    assert "CDC_CONSUMER_GROUP_INSTANCE_ID" in halt["advice"]
    assert_exactly_once(sandbox, bank.topic)


def test_the_brokers_refuse_a_member_whose_name_is_taken(sandbox: Sandbox, tmp_path: Path) -> None:
    """KIP-848: the one that has the name keeps it."""
    bank = Bank(sandbox, partitions=1)
    kinds = {bank.topic: "changes"}
    name = f"{sandbox.prefix}-member"
    member = partial(ConsumerProcess, sandbox, kinds, group_instance_id=name, group_protocol="consumer")
    with member(tmp_path / "older") as older:
        bank.transaction(30)
        until("the older one lands", lambda: landed_all(sandbox, bank.topic))
        with member(tmp_path / "newer") as newer:
            assert newer.wait() == 3
        bank.transaction(30)
        until("the older one goes on", lambda: landed_all(sandbox, bank.topic))
        assert older.terminate() == 0
    [halt] = newer.events("halted")
    assert "instance ID is still used by another member" in halt["reason"]
    assert "CDC_CONSUMER_GROUP_INSTANCE_ID" in halt["advice"]
    assert_exactly_once(sandbox, bank.topic)


def test_the_brokers_may_assign_the_partitions(sandbox: Sandbox, tmp_path: Path) -> None:
    """KIP-848: two members share the topic, one leaves, and every record lands once."""
    bank = Bank(sandbox)
    kinds = {bank.topic: "changes"}
    with (
        ConsumerProcess(sandbox, kinds, tmp_path / "first", group_protocol="consumer") as first,
        ConsumerProcess(sandbox, kinds, tmp_path / "second", group_protocol="consumer") as second,
    ):
        for consumer in (first, second):
            until("it has a share", lambda: consumer.events("resumed"), 90)  # noqa: B023
        bank.transaction(60)
        until("all landed", lambda: landed_all(sandbox, bank.topic))
        assert first.terminate() == 0
        bank.transaction(60)
        until("the other one took over", lambda: landed_all(sandbox, bank.topic), 90)
        assert second.terminate() == 0
    assert_exactly_once(sandbox, bank.topic)


def test_an_answer_that_was_lost_is_no_second_segment(sandbox: Sandbox, tmp_path: Path) -> None:
    """I7: the store has created the object and nobody heard of it. Three segments in a row, then one three times."""
    bank = Bank(sandbox, partitions=1)
    lost = (1, 1, 1, 3)
    with (
        FaultyProxy(sandbox.store_endpoint) as proxy,
        ConsumerProcess(sandbox, {bank.topic: "changes"}, tmp_path / "log", store__endpoint=proxy.url) as consumer,
    ):
        for answers in lost:
            proxy.lose_put_answers = answers
            bank.transaction(20)
            until("it hears of all", lambda: sum(e["rows"] for e in consumer.events("segment_stored")) == bank.number)
        assert proxy.lost == sum(lost)
        assert consumer.terminate() == 0
    assert sum(stored["answer_was_lost"] for stored in consumer.events("segment_stored")) == len(lost)
    assert consumer.events("race_lost") == []
    assert_exactly_once(sandbox, bank.topic)


def test_a_schema_change_starts_a_new_segment(sandbox: Sandbox, tmp_path: Path) -> None:
    bank = Bank(sandbox, partitions=1)
    wider = envelope([*ACCOUNT_FIELDS, NOTE_FIELD])
    wider_id = sandbox.register("value", wider)
    with ConsumerProcess(sandbox, {bank.topic: "changes"}, tmp_path / "log", flush_seconds="600") as consumer:
        bank.transaction(5)
        plain = sandbox.producer()
        for note in ("a", None):
            plain.produce(bank.topic, value=framed(wider_id, wider, change("u", {**bank.row(), "note": note})))
        plain.flush()
        bank.transaction(5)
        until("it has read", lambda: consumer.metric("bank_consumer_records_total") >= 12)
        assert consumer.terminate() == 0
    assert_exactly_once(sandbox, bank.topic)
    segments = [(meta["bank-schema-id"], table.schema.names) for _, meta, table in sandbox.segments(bank.topic)]
    assert [schema_id for schema_id, _ in segments] == [str(bank.schema_id), str(wider_id), str(bank.schema_id)]
    assert ["note" in names for _, names in segments] == [False, True, False]


def test_a_recreated_topic_halts(sandbox: Sandbox, tmp_path: Path) -> None:
    bank = Bank(sandbox, partitions=1)
    bank.transaction(5)
    kinds = {bank.topic: "changes"}
    with ConsumerProcess(sandbox, kinds, tmp_path / "log") as consumer:
        until("all landed", lambda: landed_all(sandbox, bank.topic))
        assert consumer.terminate() == 0
    sandbox.delete_topic(bank.topic)
    sandbox.create_topic("public.accounts")
    with ConsumerProcess(sandbox, kinds, tmp_path / "log") as consumer:
        assert consumer.wait() == 3
        [halt] = consumer.events("halted")
    assert "deleted and created again" in halt["reason"]
    assert "infra/runbooks/kafka-log-lost.md" in halt["advice"]


def test_an_idle_bank_lands_nothing_until_asked_to_stop(sandbox: Sandbox, tmp_path: Path) -> None:
    """M10: BEGIN and END of heartbeats wait; an END that counts a RAW table does not."""
    topic = sandbox.create_topic("transaction")
    schema_id = sandbox.register("transaction", TRANSACTION)
    producer = sandbox.producer()

    def produce(status: str, tx_id: int, collections: list[dict[str, Any]] | None) -> None:
        value = {"status": status, "id": f"{tx_id}:{tx_id}", "ts_ms": 1, "data_collections": collections}
        value["event_count"] = None if collections is None else len(collections)
        producer.produce(topic, value=framed(schema_id, TRANSACTION, value))
        producer.flush()

    with ConsumerProcess(
        sandbox, {topic: "transactions"}, tmp_path / "log", captured=("public.accounts",), flush_seconds="0.1"
    ) as consumer:
        produce("BEGIN", 1, None)
        produce("END", 1, [{"data_collection": "public.cdc_heartbeat", "event_count": 1}])
        until("both are read", lambda: consumer.metric("bank_consumer_records_total") >= 2)
        time.sleep(1)  # ten times flush_seconds: the absence of a segment can't be polled for
        assert sandbox.landed_keys(topic) == []
        produce("END", 2, [{"data_collection": "public.accounts", "event_count": 1}])
        until("the END of a captured table lands at once", lambda: sandbox.landed_keys(topic))
        assert [row for _, row in sandbox.landed_offsets(topic)] == [0, 1, 2]
        produce("BEGIN", 3, None)
        until("the next BEGIN is read", lambda: consumer.metric("bank_consumer_records_total") >= 4)
        assert consumer.terminate() == 0
    assert_exactly_once(sandbox, topic)
