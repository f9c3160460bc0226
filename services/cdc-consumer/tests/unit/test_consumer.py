"""The loop over fakes: whatever fails, and whenever, each record lands once and the chain has no gap."""

import io
from itertools import pairwise

import pyarrow.parquet as pq
import pytest
from consumer_world.debezium import ACCOUNT_FIELDS, change, envelope, framed, key_schema
from consumer_world.fakes import (
    WRITTEN,
    FaultyObjectStore,
    ManualClock,
    MemoryBroker,
    MemoryDeadLetters,
    MemoryLog,
    MemoryObjectStore,
    MemoryRegistry,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from bank_common.logging import get_logger
from bank_common.service import Readiness, Shutdown
from cdc_consumer.consumer import Consumer
from cdc_consumer.health import DEPENDENCIES
from cdc_consumer.instruments import Instruments
from cdc_consumer.line import Limits
from cdc_consumer.policy import DeadLettersUnavailable, FailedError, TooManyRejected, Undecodable
from cdc_consumer.ports import Commit
from cdc_consumer.rejection import RejectionLimits
from cdc_consumer.resume import Refusal, Refused
from cdc_consumer.topics import Chain, Kind, LandedTopics

A, B = Chain("rows", 0), Chain("rows", 1)
ENVELOPE = envelope(ACCOUNT_FIELDS)
ROW = {"id": 1, "customer_id": 1, "account_type": "A", "balance": b"\x01", "created_at": None}
VALUE = framed(1, ENVELOPE, change("c", ROW))
KEY = framed(2, key_schema(), {"id": 1})
LIMITS = Limits(max_rows=4, max_bytes=10**9, max_total_bytes=10**9, flush_seconds=1, idle_flush_seconds=300)

REJECTION = RejectionLimits(max_ratio=0.5, max_run=3, window=20)


@pytest.fixture(autouse=True)
def _silence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")


class Member:
    """A consumer with its own connection to a shared broker and a shared bucket."""

    def __init__(self, broker: MemoryBroker, bucket: MemoryObjectStore, registry: MemoryRegistry | None = None) -> None:
        self.kafka = MemoryLog(broker)
        self.store = FaultyObjectStore(bucket)
        self.registry = registry or MemoryRegistry({1: ENVELOPE, 2: key_schema()})
        self.dead_letters = MemoryDeadLetters()
        self.metrics = CollectorRegistry()
        self.clock = ManualClock()
        self.readiness = Readiness(DEPENDENCIES)
        self.consumer = Consumer(
            self.kafka,
            self.store,
            self.registry,
            self.dead_letters,
            LandedTopics({"rows": Kind.CHANGES}, frozenset()),
            limits=LIMITS,
            rejection=REJECTION,
            max_poll_records=3,
            poll_seconds=0,
            instruments=Instruments(self.metrics),
            wall_clock=lambda: WRITTEN + 5.0,
            readiness=self.readiness,
            clock=self.clock,
            log=get_logger("test"),
        )
        self.kafka.subscribe(["rows"], self.consumer)

    def metric(self, name: str, chain: Chain, **labels: str) -> float | None:
        where = {"topic": chain.topic, "partition": str(chain.partition)}
        return self.metrics.get_sample_value(f"bank_consumer_{name}", where | labels)

    def turns(self, count: int = 1, seconds: float = 0.5) -> None:
        for _ in range(count):
            self.consumer.turn()
            self.clock.advance(seconds)


class World:
    def __init__(self) -> None:
        self.broker = MemoryBroker([A, B])
        self.bucket = MemoryObjectStore()

    def member(self, *chains: Chain) -> Member:
        member = Member(self.broker, self.bucket)
        if chains:
            member.kafka.assign(*chains)
        return member

    def produce(self, chain: Chain, count: int = 1) -> None:
        for _ in range(count):
            self.broker.produce(chain, VALUE, KEY)

    def landed(self, chain: Chain) -> list[int]:
        prefix = f"{chain.topic}/{chain.partition:04d}/"
        keys = self.bucket.keys(prefix)
        tables = [pq.read_table(io.BytesIO(self.bucket.objects[key].body)) for key in keys]
        return [offset for table in tables for offset in table["_cdc_offset"].to_pylist()]

    def assert_contiguous(self, chain: Chain) -> None:
        keys = self.bucket.keys(f"{chain.topic}/{chain.partition:04d}/")
        ranges = [self.bucket.objects[key].metadata for key in keys]
        assert all(left["bank-end"] == right["bank-start"] for left, right in pairwise(ranges))

    def assert_exactly_once(self) -> None:
        for chain in (A, B):
            assert self.landed(chain) == sorted(self.broker.records[chain])
            self.assert_contiguous(chain)


@pytest.fixture
def world() -> World:
    return World()


def test_records_land_and_are_committed_after_they_are_stored(world: World) -> None:
    member = world.member(A, B)
    world.produce(A, 6)
    world.produce(B, 1)
    world.broker.marker(A)
    member.turns(8)
    world.assert_exactly_once()
    assert world.broker.commits[A].offset == 6
    assert world.broker.commits[B] == Commit(B, 1, note="0")


def test_nothing_is_committed_while_the_store_fails(world: World) -> None:
    member = world.member(A)
    member.turns(1)
    member.store.down = True
    world.produce(A, 5)
    member.turns(10)
    assert world.broker.commits == {}
    assert world.landed(A) == []


def test_store_down_pauses_polls_on_and_catches_up(world: World) -> None:
    """I12: backpressure, not death; memory stays bounded."""
    member = world.member(A, B)
    member.turns(1)
    world.produce(A, 3)
    member.store.down = True
    member.turns(6)
    assert member.kafka.paused == {A, B}
    assert "object store" in member.readiness.report()["object_store"]
    position, polls = member.kafka.positions[A], member.kafka.polls
    world.produce(A, 50)
    attempts = member.store.creates
    member.turns(40)
    assert member.kafka.positions[A] == position, "nothing is read while nothing can be stored"
    assert member.kafka.polls == polls + 40, "a silent member loses its chains"
    assert member.store.creates - attempts < 12, "backoff"
    member.store.down = False
    member.turns(60)
    world.assert_exactly_once()
    assert member.readiness.report() == {}


def test_a_lost_answer_is_no_second_segment(world: World) -> None:
    member = world.member(A)
    world.produce(A, 9)
    member.turns(1)
    member.store.lose_answers = 3
    member.turns(40)
    world.assert_exactly_once()


def test_losing_the_race_drops_the_buffer_and_reads_from_the_new_tail(world: World) -> None:
    zombie, heir = world.member(A), world.member()
    world.produce(A, 2)
    zombie.turns(2, seconds=0)
    heir.kafka.assign(A)
    world.produce(A, 1)
    heir.turns(6)
    assert world.landed(A) == [0, 1, 2]
    world.produce(A, 2)
    zombie.turns(10)
    heir.turns(10)
    zombie.turns(10)
    world.assert_exactly_once()


def test_a_revocation_stores_and_commits_first(world: World) -> None:
    member = world.member(A)
    world.produce(A, 2)
    member.turns(2, seconds=0)
    assert world.landed(A) == []
    member.kafka.revoke(A)
    assert world.landed(A) == [0, 1]
    assert world.broker.commits[A].offset == 2


def test_a_slow_store_does_not_hold_up_a_handover_for_ever(world: World) -> None:
    """What is not stored by the deadline is dropped, and the next owner reads it."""
    member = world.member(A, B)
    world.produce(A, 2)
    world.produce(B, 1)
    member.turns(2, seconds=0)
    member.store.on_create = lambda: member.clock.advance(60)
    member.kafka.revoke(A, B)
    assert (world.landed(A), world.landed(B)) == ([0, 1], [])
    world.member(A, B).turns(10)
    world.assert_exactly_once()


def test_a_loss_drops_what_another_owner_will_read(world: World) -> None:
    member = world.member(A)
    world.produce(A, 2)
    member.turns(2, seconds=0)
    member.kafka.revoke(A, lost=True)
    assert world.landed(A) == []
    assert world.broker.commits == {}


def test_leaving_stores_and_commits(world: World) -> None:
    member = world.member(A)
    world.produce(A, 2)
    member.turns(2, seconds=0)
    member.consumer.leave()
    assert world.landed(A) == [0, 1]
    assert world.broker.commits[A].offset == 2
    assert member.kafka.closed


def test_each_chain_tells_how_far_it_is(world: World) -> None:
    member = world.member(A)
    world.produce(A, 2)
    world.broker.produce(A, b"poison")
    member.turns(2, seconds=0)
    assert member.metric("lag_records", A) == 3
    assert member.metric("lag_seconds", A) == 5
    assert (member.metric("buffered_bytes", A) or 0) > 3 * len(VALUE) / 2
    member.turns(5)
    shown = ("lag_records", "lag_seconds", "buffered_bytes", "tail_offset", "rows_total", "rejected_total")
    assert [member.metric(name, A) for name in shown] == [0, 0, 0, 3, 2, 1]
    assert member.metric("flushes_total", A, reason="age") == 1
    member.kafka.revoke(A)
    assert member.metric("lag_records", A) is None
    assert member.metric("rows_total", A) == 2


def test_until_caught_up_ends_when_all_is_stored(world: World) -> None:
    member = world.member()
    world.produce(A, 7)
    world.produce(B, 1)
    member.kafka.on_subscribe = lambda: member.kafka.assign(A, B)
    member.consumer.run(Shutdown(), until_caught_up=True)
    world.assert_exactly_once()
    assert world.broker.commits[A].offset == 7
    assert member.kafka.closed


def test_until_caught_up_does_not_end_before_all_is_stored(world: World) -> None:
    member = world.member()
    world.produce(A, 2)
    member.kafka.on_subscribe = lambda: member.kafka.assign(A)
    member.store.fail_creates = 3
    member.kafka.on_poll = lambda: member.clock.advance(1)
    member.consumer.run(Shutdown(), until_caught_up=True)
    assert world.landed(A) == [0, 1]
    assert member.store.creates == 4


def test_leaving_while_the_store_is_down_ends_all_the_same(world: World) -> None:
    member = world.member(A, B)
    world.produce(A, 2)
    world.produce(B, 2)
    member.turns(2, seconds=0)
    member.store.down = True
    member.consumer.leave()
    assert member.kafka.closed
    assert member.store.creates == 1, "one attempt is enough to know"
    assert world.broker.commits == {}


@pytest.mark.parametrize("poison", [b"poison", VALUE[:-1], VALUE + b"\0", b"\0\0\0\0\x63" + VALUE[5:], b""])
def test_poison_goes_to_the_dead_letters_and_good_rows_land(world: World, poison: bytes) -> None:
    member = world.member(A)
    world.produce(A, 2)
    world.broker.produce(A, poison, b"its key")
    world.produce(A, 2)
    member.turns(10)
    assert world.landed(A) == [0, 1, 3, 4]
    world.assert_contiguous(A)
    [letter] = member.dead_letters.letters
    assert (letter.address, letter.key, letter.value) == (("rows", 0, 2), b"its key", poison)
    assert world.broker.commits[A].offset == 5
    assert sum(int(found.metadata["bank-rejected"]) for found in world.bucket.objects.values()) == 1


def test_poison_alone_lands_as_a_segment_without_rows(world: World) -> None:
    member = world.member(A)
    world.broker.produce(A, b"poison")
    member.turns(6)
    [segment] = world.bucket.objects.values()
    assert (segment.metadata["bank-rows"], segment.metadata["bank-rejected"]) == ("0", "1")
    assert world.broker.commits[A].offset == 1


def test_a_dead_letter_is_acknowledged_before_its_segment_is_stored(world: World) -> None:
    member = world.member(A)
    member.dead_letters.down = True
    world.produce(A, 1)
    world.broker.produce(A, b"poison")
    with pytest.raises(FailedError) as caught:
        member.turns(10)
    assert isinstance(caught.value.failure, DeadLettersUnavailable)
    member.consumer.leave()
    assert world.landed(A) == []
    assert world.broker.commits == {}
    heir = world.member(A)
    heir.turns(10)
    assert world.landed(A) == [0]
    assert heir.dead_letters.offsets == [1]


def test_a_dead_letter_is_not_sent_again_while_the_store_fails(world: World) -> None:
    member = world.member(A)
    world.broker.produce(A, b"poison")
    world.produce(A, 1)
    member.turns(2, seconds=0)
    member.store.down = True
    member.turns(20)
    member.store.down = False
    member.turns(20)
    assert world.landed(A) == [1]
    assert len(member.dead_letters.letters) == 1


def test_a_run_of_poison_halts_and_nothing_of_it_is_lost(world: World) -> None:
    member = world.member(A, B)
    world.produce(B, 1)
    world.produce(A, 4)
    member.turns(3, seconds=0)
    for _ in range(4):
        world.broker.produce(A, b"poison")
    with pytest.raises(FailedError) as caught:
        member.turns(10)
    assert isinstance(caught.value.failure, TooManyRejected)
    assert caught.value.failure.first.offset == 4
    member.consumer.leave()
    assert member.kafka.closed
    assert world.landed(A) == [0, 1, 2, 3]
    assert world.landed(B) == [0], "the other chain's rows are good"
    assert member.dead_letters.letters == []
    assert world.broker.commits[A].offset == 4


def test_a_schema_that_can_not_be_carried_halts_after_what_came_before_it(world: World) -> None:
    member = world.member(A)
    member.registry.schemas[3] = {"type": "record", "name": "Value", "fields": [{"name": "x", "type": "long"}]}
    world.produce(A, 2)
    world.broker.produce(A, b"\0\0\0\0\3" + VALUE[5:])
    world.produce(A, 1)
    with pytest.raises(FailedError) as caught:
        member.turns(10, seconds=0)
    assert isinstance(caught.value.failure, Undecodable)
    assert (caught.value.failure.chain, caught.value.failure.offset) == (A, 2)
    member.consumer.leave()
    assert world.landed(A) == [0, 1]
    assert world.broker.commits[A].offset == 2


def test_a_registry_that_is_down_is_waited_for(world: World) -> None:
    member = world.member(A)
    member.registry.down = True
    world.produce(A, 5)
    member.turns(20)
    assert world.landed(A) == []
    assert "registry" in member.readiness.report()
    assert member.registry.asked < 15, "backoff"
    member.registry.down = False
    member.turns(30)
    world.assert_exactly_once()
    assert member.readiness.report() == {}


def test_tombstones_lie_in_a_range_and_make_no_row(world: World) -> None:
    member = world.member(A)
    world.produce(A, 1)
    world.broker.produce(A, None)
    world.broker.produce(A, None)
    world.produce(A, 1)
    member.turns(10)
    assert world.landed(A) == [0, 3]
    world.assert_contiguous(A)


def test_a_wiped_bucket_halts(world: World) -> None:
    member = world.member(A)
    world.produce(A, 1)
    member.turns(6)
    world.bucket.objects.clear()
    with pytest.raises(FailedError) as caught:
        world.member(A).turns(2)
    assert isinstance(caught.value.failure, Refused)
    assert caught.value.failure.refusal is Refusal.CHAIN_LOST


def test_a_position_that_kafka_lost_is_looked_up_again(world: World) -> None:
    member = world.member(A)
    world.produce(A, 2)
    member.turns(2, seconds=0)
    member.kafka.losses = {A}
    member.turns(10)
    world.assert_exactly_once()
    world.broker.starts[A] = 10
    world.broker.ends[A] = 20
    member.kafka.losses = {A}
    with pytest.raises(FailedError) as caught:
        member.turns(2)
    assert isinstance(caught.value.failure, Refused)
    assert caught.value.failure.refusal is Refusal.LOG_STARTS_AFTER_TAIL


steps = st.lists(
    st.sampled_from(
        [
            "produce a",
            "produce b",
            "marker",
            "turn",
            "turn",
            "turn",
            "crash",
            "swap",
            "steal",
            "lose answer",
            "down",
            "up",
        ]
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_any_sequence_of_faults_converges(todo: list[str]) -> None:
    """I5 and I6 in small: two members, crashes without a stop, handovers with and without notice, a failing store."""
    world = World()
    first, second = world.member(A, B), world.member()
    for step in todo:
        match step:
            case "produce a":
                world.produce(A, 2)
            case "produce b":
                world.produce(B)
            case "marker":
                world.broker.marker(A)
            case "turn":
                first.turns()
                second.turns()
            case "crash":
                chains = tuple(first.kafka.positions)
                first = world.member(*chains)
            case "swap":
                chains = tuple(first.kafka.positions)
                if chains:
                    first.kafka.revoke(*chains)
                    second.kafka.assign(*(chain for chain in chains if chain not in second.kafka.positions))
                first, second = second, first
            case "steal":
                # `first` does not notice for a while: both own the chains.
                second.kafka.assign(*(chain for chain in first.kafka.positions if chain not in second.kafka.positions))
            case "lose answer":
                first.store.lose_answers = 1
            case "down":
                first.store.down = True
            case _:
                first.store.down = second.store.down = False
    first.store.down = second.store.down = False
    last = world.member(A, B)
    for member in (first, second, last, first, second):
        member.turns(40, seconds=1)
    world.assert_exactly_once()
