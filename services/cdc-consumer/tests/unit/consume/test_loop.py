"""The loop over fakes: whatever fails, and whenever, each record lands once and the chain has no gap."""

import pytest
from consumer_testing.loop import LIMITS, VALUE, A, B, Harness
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_common.runtime.service import Shutdown
from cdc_consumer.failures import FailedError
from cdc_consumer.model.resume import Refusal, Refused
from cdc_consumer.model.segment_budget import Budget
from cdc_consumer.ports import Commit


@pytest.fixture(autouse=True)
def _silence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")


def test_records_land_and_are_committed_after_they_are_stored(harness: Harness) -> None:
    member = harness.member(A, B)
    harness.produce(A, 6)
    harness.produce(B, 1)
    harness.broker.marker(A)
    member.turns(8)
    harness.assert_exactly_once()
    assert harness.broker.commits[A] == Commit(A, 7, metadata="4:6"), "past the marker, naming the tail"
    assert harness.broker.commits[B] == Commit(B, 1, metadata="0:1")


def test_a_log_that_lost_its_markers_has_lost_nothing(harness: Harness) -> None:
    first = harness.member(A)
    harness.produce(A, 2)
    harness.broker.marker(A)
    first.turns(8)
    first.kafka.revoke(A)
    # Retention takes all of it away, up to the log's end.
    harness.broker.records[A].clear()
    harness.broker.starts[A] = harness.broker.ends[A]
    second = harness.member(A)
    second.turns(2)
    offset = harness.broker.produce(A, VALUE)
    second.turns(8)
    assert harness.landed(A) == [0, 1, offset]


def test_a_log_that_lost_records_behind_the_markers_is_refused(harness: Harness) -> None:
    first = harness.member(A)
    harness.produce(A, 2)
    harness.broker.marker(A)
    first.turns(8)
    first.kafka.revoke(A)
    harness.produce(A, 1)
    harness.broker.records[A].clear()
    harness.broker.starts[A] = harness.broker.ends[A]
    with pytest.raises(FailedError) as halted:
        harness.member(A).turns(4)
    assert isinstance(halted.value.failure, Refused)
    assert halted.value.failure.refusal is Refusal.LOG_STARTS_AFTER_TAIL


def test_a_poll_ends_when_a_buffer_is_due(harness: Harness) -> None:
    member = harness.member(A, poll_seconds=60)
    member.turns(1, seconds=0)
    harness.produce(A, 3)
    member.turns(1, seconds=0)
    read_at = member.clock.now
    assert harness.landed(A) == [], "they fill a poll, which ends at once"
    member.turns(1, seconds=0)
    assert harness.landed(A) == [0, 1, 2]
    assert member.clock.now == read_at + LIMITS.flush_seconds


def test_the_age_of_records_counts_from_the_start_of_the_poll_that_brought_them(harness: Harness) -> None:
    member = harness.member(A, poll_seconds=LIMITS.flush_seconds)
    member.turns(1, seconds=0)
    harness.produce(A, 2)
    member.turns(1, seconds=0)
    assert harness.landed(A) == [0, 1]


def test_segments_beyond_the_budget_wait_and_get_larger(harness: Harness) -> None:
    budget = Budget(per_second=0.5, longest_seconds=4)
    member = harness.member(A, B, limits=LIMITS._replace(max_rows=100, budget=budget))
    member.turns(1)
    harness.produce(A, 1)
    member.turns(4)
    assert harness.landed(A) == [0], "a change after a rest waits for flush_seconds only"
    for _ in range(80):
        harness.produce(A, 1)
        harness.produce(B, 1)
        member.turns(1)
    segments = len(harness.bucket.objects)
    assert 40 * budget.per_second * 0.8 <= segments <= 1 + budget.burst + 40 * budget.per_second
    window = member.metrics.get_sample_value("bank_consumer_flush_window_seconds")
    assert window is not None
    assert LIMITS.flush_seconds < window <= budget.longest_seconds
    member.turns(12)
    harness.assert_exactly_once()


def test_nothing_is_committed_while_the_store_fails(harness: Harness) -> None:
    member = harness.member(A)
    member.turns(1)
    member.store.down = True
    harness.produce(A, 5)
    member.turns(10)
    assert harness.broker.commits == {}
    assert harness.landed(A) == []


def test_store_down_pauses_polls_on_and_catches_up(harness: Harness) -> None:
    """I12: backpressure, not death; memory stays bounded."""
    member = harness.member(A, B)
    member.turns(1)
    harness.produce(A, 3)
    member.store.down = True
    member.turns(6)
    assert member.kafka.paused == {A, B}
    assert "object store" in member.readiness.report()["object_store"]
    position, polls = member.kafka.positions[A], member.kafka.polls
    harness.produce(A, 50)
    attempts = member.store.creates
    member.turns(40)
    assert member.kafka.positions[A] == position, "nothing is read while nothing can be stored"
    assert member.kafka.polls == polls + 40, "a silent member loses its partitions"
    assert member.store.creates - attempts < 12, "backoff"
    member.store.down = False
    member.turns(60)
    harness.assert_exactly_once()
    assert member.readiness.report() == {}


def test_a_lost_answer_is_no_second_segment(harness: Harness) -> None:
    member = harness.member(A)
    harness.produce(A, 9)
    member.turns(1)
    member.store.lose_answers = 3
    member.turns(40)
    harness.assert_exactly_once()


def test_losing_the_race_drops_the_buffer_and_reads_from_the_new_tail(harness: Harness) -> None:
    zombie, heir = harness.member(A), harness.member()
    harness.produce(A, 2)
    zombie.turns(2, seconds=0)
    heir.kafka.assign(A)
    harness.produce(A, 1)
    heir.turns(6)
    assert harness.landed(A) == [0, 1, 2]
    harness.produce(A, 2)
    zombie.turns(10)
    heir.turns(10)
    zombie.turns(10)
    harness.assert_exactly_once()


def test_a_revocation_stores_and_commits_first(harness: Harness) -> None:
    member = harness.member(A)
    harness.produce(A, 2)
    member.turns(2, seconds=0)
    assert harness.landed(A) == []
    member.kafka.revoke(A)
    assert harness.landed(A) == [0, 1]
    assert harness.broker.commits[A].offset == 2


def test_a_slow_store_does_not_hold_up_a_handover_for_ever(harness: Harness) -> None:
    """What is not stored by the deadline is dropped, and the next owner reads it."""
    member = harness.member(A, B)
    harness.produce(A, 2)
    harness.produce(B, 1)
    member.turns(2, seconds=0)
    member.store.on_create = lambda: member.clock.advance(60)
    member.kafka.revoke(A, B)
    assert (harness.landed(A), harness.landed(B)) == ([0, 1], [])
    harness.member(A, B).turns(10)
    harness.assert_exactly_once()


def test_a_loss_drops_what_another_owner_will_read(harness: Harness) -> None:
    member = harness.member(A)
    harness.produce(A, 2)
    member.turns(2, seconds=0)
    member.kafka.revoke(A, lost=True)
    assert harness.landed(A) == []
    assert harness.broker.commits == {}


def test_leaving_stores_and_commits(harness: Harness) -> None:
    member = harness.member(A)
    harness.produce(A, 2)
    member.turns(2, seconds=0)
    member.consumer.leave()
    assert harness.landed(A) == [0, 1]
    assert harness.broker.commits[A].offset == 2
    assert member.kafka.closed


def test_each_partition_shows_how_far_it_is(harness: Harness) -> None:
    member = harness.member(A)
    harness.produce(A, 2)
    harness.broker.produce(A, b"poison")
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


def test_until_caught_up_ends_when_all_is_stored(harness: Harness) -> None:
    member = harness.member()
    harness.produce(A, 7)
    harness.produce(B, 1)
    member.kafka.on_subscribe = lambda: member.kafka.assign(A, B)
    member.consumer.run(Shutdown(), until_caught_up=True)
    harness.assert_exactly_once()
    assert harness.broker.commits[A].offset == 7
    assert member.kafka.closed


def test_until_caught_up_does_not_end_before_all_is_stored(harness: Harness) -> None:
    member = harness.member()
    harness.produce(A, 2)
    member.kafka.on_subscribe = lambda: member.kafka.assign(A)
    member.store.fail_creates = 3
    member.kafka.on_poll = lambda: member.clock.advance(1)
    member.consumer.run(Shutdown(), until_caught_up=True)
    assert harness.landed(A) == [0, 1]
    assert member.store.creates == 4


def test_leaving_while_the_store_is_down_ends_all_the_same(harness: Harness) -> None:
    member = harness.member(A, B)
    harness.produce(A, 2)
    harness.produce(B, 2)
    member.turns(2, seconds=0)
    member.store.down = True
    member.consumer.leave()
    assert member.kafka.closed
    assert member.store.creates == 1, "one attempt is enough to know"
    assert harness.broker.commits == {}


def test_a_registry_that_is_down_is_waited_for(harness: Harness) -> None:
    member = harness.member(A)
    member.registry.down = True
    harness.produce(A, 5)
    member.turns(20)
    assert harness.landed(A) == []
    assert "registry" in member.readiness.report()
    assert member.registry.asked < 15, "backoff"
    member.registry.down = False
    member.turns(30)
    harness.assert_exactly_once()
    assert member.readiness.report() == {}


def test_tombstones_lie_in_a_range_and_make_no_row(harness: Harness) -> None:
    member = harness.member(A)
    harness.produce(A, 1)
    harness.broker.produce(A, None)
    harness.broker.produce(A, None)
    harness.produce(A, 1)
    member.turns(10)
    assert harness.landed(A) == [0, 3]
    harness.assert_contiguous(A)


def test_a_wiped_bucket_halts(harness: Harness) -> None:
    member = harness.member(A)
    harness.produce(A, 1)
    member.turns(6)
    harness.bucket.objects.clear()
    with pytest.raises(FailedError) as caught:
        harness.member(A).turns(2)
    assert isinstance(caught.value.failure, Refused)
    assert caught.value.failure.refusal is Refusal.CHAIN_LOST


def test_a_position_that_kafka_lost_is_looked_up_again(harness: Harness) -> None:
    member = harness.member(A)
    harness.produce(A, 2)
    member.turns(2, seconds=0)
    member.kafka.losses = {A}
    member.turns(10)
    harness.assert_exactly_once()
    harness.broker.starts[A] = 10
    harness.broker.ends[A] = 20
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
    harness = Harness()
    first, second = harness.member(A, B), harness.member()
    for step in todo:
        match step:
            case "produce a":
                harness.produce(A, 2)
            case "produce b":
                harness.produce(B)
            case "marker":
                harness.broker.marker(A)
            case "turn":
                first.turns()
                second.turns()
            case "crash":
                partitions = tuple(first.kafka.positions)
                first = harness.member(*partitions)
            case "swap":
                partitions = tuple(first.kafka.positions)
                if partitions:
                    first.kafka.revoke(*partitions)
                    second.kafka.assign(
                        *(
                            topic_partition
                            for topic_partition in partitions
                            if topic_partition not in second.kafka.positions
                        )
                    )
                first, second = second, first
            case "steal":
                # `first` does not notice for a while: both own the partitions.
                second.kafka.assign(
                    *(
                        topic_partition
                        for topic_partition in first.kafka.positions
                        if topic_partition not in second.kafka.positions
                    )
                )
            case "lose answer":
                first.store.lose_answers = 1
            case "down":
                first.store.down = True
            case _:
                first.store.down = second.store.down = False
    first.store.down = second.store.down = False
    last = harness.member(A, B)
    for member in (first, second, last, first, second):
        member.turns(40, seconds=1)
    harness.assert_exactly_once()
