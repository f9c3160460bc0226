"""The plan: chain order, contiguity, limits."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loading_testing.memory import landed, metadata

from bank_common.landing.segments import SegmentKey, TopicPartition
from bank_dags.loading.failures import BrokenChain
from bank_dags.loading.load_plan import LoadLimits, LoadPlan, arrange, choose, still_holds
from bank_dags.loading.segments import Landed, Listed, LoadBatch, Tail

TOPIC = "bank.public.accounts"
CHAINS = st.builds(TopicPartition, st.sampled_from([TOPIC, "bank.transaction"]), st.integers(0, 2))


@st.composite
def whole_landings(draw: st.DrawFn) -> tuple[dict[TopicPartition, Tail], dict[TopicPartition, list[Landed]]]:
    """Tails, and what waits after them: every chain contiguous."""
    tails: dict[TopicPartition, Tail] = {}
    waiting: dict[TopicPartition, list[Landed]] = {}
    for chain in draw(st.sets(CHAINS, min_size=1)):
        at = draw(st.integers(0, 3_000_000))
        if draw(st.booleans()):
            tails[chain] = Tail(at, at := at + draw(st.integers(1, 2_000_000)))
        waiting[chain] = []
        for length in draw(st.lists(st.integers(1, 1_500_000), max_size=6)):
            waiting[chain].append(landed(chain.topic, chain.partition, at, at := at + length, rows=1))
    return tails, waiting


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def backlog_of(waiting: dict[TopicPartition, list[Landed]]) -> dict[TopicPartition, list[Listed]]:
    return {
        chain: [Listed(segment.key, segment.metadata.end - segment.metadata.start, NOW) for segment in segments]
        for chain, segments in waiting.items()
    }


@given(whole_landings(), st.integers(1, 8), st.integers(1, 4_000_000))
def test_a_choice_is_a_front_of_each_chain_within_the_limits(
    landing: tuple[dict[TopicPartition, Tail], dict[TopicPartition, list[Landed]]], max_segments: int, max_bytes: int
) -> None:
    tails, waiting = landing
    backlog = backlog_of(waiting)
    chosen = choose(backlog, LoadLimits(max_segments, max_bytes))

    assert bool(chosen) == any(waiting.values()), "whatever waits, something is chosen"
    assert len(chosen) <= max_segments
    assert len(chosen) == 1 or sum(segment.size for segment in chosen) <= max_bytes
    for chain, listed in backlog.items():
        mine = [segment for segment in chosen if segment.chain == chain]
        assert mine == listed[: len(mine)]
    sizes = [segment.size for listed in backlog.values() for segment in listed]
    if len(chosen) < min(max_segments, len(sizes)):
        assert sum(segment.size for segment in chosen) + max(sizes) > max_bytes, "it stopped though there was room"

    keys = {segment.key for segment in chosen}
    taken = [segment for segments in waiting.values() for segment in segments if segment.key in keys]
    batch, halted = arrange(reversed(taken), tails)
    assert not halted
    assert len(batch.segments) == len(taken)
    for left, right in pairwise(batch.segments):
        assert left.chain < right.chain or left.metadata.end == right.metadata.start


@given(whole_landings())
def test_chains_advance_together(
    landing: tuple[dict[TopicPartition, Tail], dict[TopicPartition, list[Landed]]],
) -> None:
    _, waiting = landing
    backlog = backlog_of(waiting)
    taken = dict.fromkeys(backlog, 0)
    for segment in choose(backlog, LoadLimits(5, 10**12)):
        taken[segment.chain] += 1
    for chain, count in taken.items():
        assert all(count >= other - 1 or count == len(backlog[chain]) for other in taken.values())


@given(whole_landings(), st.data())
def test_a_plan_without_one_segment_of_its_middle_halts(
    landing: tuple[dict[TopicPartition, Tail], dict[TopicPartition, list[Landed]]], data: st.DataObject
) -> None:
    tails, waiting = landing
    inner = [
        (chain, number)
        for chain, segments in waiting.items()
        for number in range(0 if chain in tails else 1, len(segments) - 1)
    ]
    if not inner:
        return
    chain, number = data.draw(st.sampled_from(inner))
    lost = waiting[chain].pop(number)
    batch, halted = arrange([item for segments in waiting.values() for item in segments], tails)
    assert {item: error.failure for item, error in halted.items()} == {
        chain: BrokenChain(chain, lost.metadata.start, lost.metadata.end)
    }
    expected = {item: len(segments) for item, segments in waiting.items()} | {chain: number}
    assert all(sum(item.chain == one for item in batch.segments) == count for one, count in expected.items())


def test_a_gap_after_the_ledgers_tail_and_an_overlap_with_it_halt() -> None:
    chain = TopicPartition(TOPIC, 0)
    for start, kind in ((12, "gap"), (9, "overlap")):
        batch, halted = arrange([landed(TOPIC, 0, start, 20)], {chain: Tail(5, 10)})
        assert not batch.segments
        assert halted[chain].failure == BrokenChain(chain, 10, start)
        assert kind in str(halted[chain])


def test_a_chain_that_the_ledger_does_not_know_may_start_anywhere() -> None:
    """Kafka's retention may have removed the beginning before the first segment was landed."""
    batch, halted = arrange([landed(TOPIC, 0, 700, 720)], {})
    assert (len(batch.segments), halted) == (1, {})


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        ({TopicPartition(TOPIC, 0): Tail(0, 5)}, True),
        ({TopicPartition(TOPIC, 0): Tail(0, 5), TopicPartition(TOPIC, 1): Tail(0, 9)}, True),  # another chain moved
        ({TopicPartition(TOPIC, 0): Tail(5, 8)}, False),
        ({TopicPartition(TOPIC, 0): Tail(5, 8, landed=False)}, False),  # skipped on record
        ({}, False),
    ],
)
def test_a_plan_holds_while_its_own_chains_did_not_move(now: dict[TopicPartition, Tail], holds: bool) -> None:
    segment = Landed(SegmentKey(TOPIC, 0, 5), metadata(5, 8))
    assert still_holds(LoadBatch((segment,), {TopicPartition(TOPIC, 0): Tail(0, 5)}), now) is holds


@pytest.mark.parametrize(("age", "rests"), [(0, True), (9.9, True), (10, False), (3600, False), (-1, False)])
def test_a_listing_rests_while_its_oldest_segment_is_young(age: float, rests: bool) -> None:
    def listed(chain: TopicPartition, age: float) -> Listed:
        return Listed(SegmentKey(*chain, 0), 1, NOW - timedelta(seconds=age))

    backlog = {
        TopicPartition("a", 0): [listed(TopicPartition("a", 0), 5)],
        TopicPartition("b", 0): [listed(TopicPartition("b", 0), age)],
        TopicPartition("c", 0): [],
    }
    assert LoadPlan({}, backlog, complete=True).rests(NOW, 10) is rests
    assert not LoadPlan({}, {}, complete=True).rests(NOW, 10), "nothing waits"
