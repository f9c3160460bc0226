"""The budget: the long-run rate holds, nobody waits beyond the cap, and a rest is followed by no wait."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc_consumer.model.segment_budget import Budget, SegmentBudget

TICK = 0.25
LINES = st.lists(st.integers(0, 12), min_size=200, max_size=400)
BUDGETS = st.builds(Budget, st.sampled_from([0.5, 1.0, 2.0, 8.0]), st.sampled_from([2.0, 5.0, 30.0]))


class Flush(NamedTuple):
    """Segments made at an instant, and how long the oldest record had waited."""

    at: float
    segments: int
    waited: float


def play(arrivals: list[int], budget: Budget, flush_seconds: float = 0.5) -> list[Flush]:
    """Flush buffers that get a record at each tick."""
    bucket = SegmentBudget(budget)
    waiting, since, flushes = 0, 0.0, list[Flush]()
    for tick, buffers in enumerate(arrivals):
        now = tick * TICK
        if buffers and not waiting:
            since = now
        waiting = max(waiting, buffers)
        if waiting and now >= bucket.flush_at(since, flush_seconds, waiting, now):
            flushes.append(Flush(now, waiting, now - since))
            bucket.spend(waiting, now)
            waiting = 0
    return flushes


@given(LINES, BUDGETS)
def test_nobody_waits_beyond_the_cap(arrivals: list[int], budget: Budget) -> None:
    assert all(flush.waited <= budget.longest_seconds + TICK for flush in play(arrivals, budget))


@given(LINES, BUDGETS)
def test_over_any_time_no_more_segments_than_burst_and_rate_but_where_the_cap_forces_them(
    arrivals: list[int], budget: Budget
) -> None:
    affordable: list[Flush] = []
    for flush in play(arrivals, budget):
        if flush.waited >= budget.longest_seconds or flush.segments > budget.burst:
            affordable.clear()
            continue
        affordable.append(flush)
        for index, first in enumerate(affordable):
            spent = sum(later.segments for later in affordable[index:])
            assert spent <= budget.burst + budget.per_second * (flush.at - first.at) + 1e-6


@pytest.mark.parametrize(("buffers", "seconds"), [(1, 0.5), (2, 1.0), (5, 2.5), (10, 5.0)])
def test_steady_traffic_over_more_partitions_flushes_less_often(buffers: int, seconds: float) -> None:
    flushes = play([buffers] * 4000, Budget(2.0, 30.0), flush_seconds=0.25)
    assert sum(flush.segments for flush in flushes) / (4000 * TICK) == pytest.approx(2.0, rel=0.1)
    assert len(flushes) == pytest.approx(4000 * TICK / seconds, rel=0.1)


def test_a_lone_change_after_a_rest_is_stored_at_once() -> None:
    budget = Budget(2.0, 5.0)
    bucket = SegmentBudget(budget)
    bucket.spend(100, 0.0)
    assert bucket.flush_at(0.5, 0.5, 3, 1.0) == 1.5
    assert bucket.flush_at(4.5, 0.5, 3, 5.0) == 5.0
    assert bucket.flush_at(9.5, 0.5, 10, 10.0) == 10.0, "a transaction that touches every partition"
    assert bucket.flush_at(9.5, 0.5, 10, 9.5) == 10.0, "never before its window is over"


def test_a_window_grows_to_the_cap_and_one_that_is_longer_stays() -> None:
    bucket = SegmentBudget(Budget(2.0, 5.0))
    bucket.spend(100, 0.0)
    assert bucket.flush_at(0.0, 1.0, 100, 0.0) == 5.0
    assert bucket.flush_at(0.0, 60.0, 100, 0.0) == 60.0


def test_without_a_budget_nothing_waits() -> None:
    bucket = SegmentBudget(Budget())
    bucket.spend(10**6, 0.0)
    assert bucket.flush_at(0.0, 0.5, 10**6, 0.0) == 0.5
