"""The plan: chain order, contiguity, limits."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from load_world.memory import landed, metadata

from bank_common.landing import SegmentKey
from bank_dags.loading.plan import Limits, Waiting, arrange, choose, still_holds
from bank_dags.loading.reasons import BrokenChain
from bank_dags.loading.segments import Batch, Chain, Landed, Listed, Tail

TOPIC = "bank.public.accounts"
CHAINS = st.builds(Chain, st.sampled_from([TOPIC, "bank.transaction"]), st.integers(0, 2))


@st.composite
def whole_landings(draw: st.DrawFn) -> tuple[dict[Chain, Tail], dict[Chain, list[Landed]]]:
    """Tails, and what waits after them: every chain contiguous."""
    tails: dict[Chain, Tail] = {}
    waiting: dict[Chain, list[Landed]] = {}
    for chain in draw(st.sets(CHAINS, min_size=1)):
        at = draw(st.integers(0, 3_000_000))
        if draw(st.booleans()):
            tails[chain] = Tail(at, at := at + draw(st.integers(1, 2_000_000)))
        waiting[chain] = []
        for length in draw(st.lists(st.integers(1, 1_500_000), max_size=6)):
            waiting[chain].append(landed(chain.topic, chain.partition, at, at := at + length, rows=1))
    return tails, waiting


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def backlog_of(waiting: dict[Chain, list[Landed]]) -> dict[Chain, list[Listed]]:
    return {
        chain: [Listed(each.key, each.metadata.end - each.metadata.start, NOW) for each in segments]
        for chain, segments in waiting.items()
    }


@given(whole_landings(), st.integers(1, 8), st.integers(1, 4_000_000))
def test_a_choice_is_a_front_of_each_chain_within_the_limits(
    landing: tuple[dict[Chain, Tail], dict[Chain, list[Landed]]], max_segments: int, max_bytes: int
) -> None:
    tails, waiting = landing
    backlog = backlog_of(waiting)
    chosen = choose(backlog, Limits(max_segments, max_bytes))

    assert bool(chosen) == any(waiting.values()), "whatever waits, something is chosen"
    assert len(chosen) <= max_segments
    assert len(chosen) == 1 or sum(each.size for each in chosen) <= max_bytes
    for chain, listed in backlog.items():
        mine = [each for each in chosen if each.chain == chain]
        assert mine == listed[: len(mine)]
    sizes = [each.size for listed in backlog.values() for each in listed]
    if len(chosen) < min(max_segments, len(sizes)):
        assert sum(each.size for each in chosen) + max(sizes) > max_bytes, "it stopped though there was room"

    keys = {each.key for each in chosen}
    taken = [each for segments in waiting.values() for each in segments if each.key in keys]
    batch, halted = arrange(reversed(taken), tails)
    assert not halted
    assert len(batch.segments) == len(taken)
    for left, right in pairwise(batch.segments):
        assert left.chain < right.chain or left.metadata.end == right.metadata.start


@given(whole_landings())
def test_chains_advance_together(landing: tuple[dict[Chain, Tail], dict[Chain, list[Landed]]]) -> None:
    _, waiting = landing
    backlog = backlog_of(waiting)
    taken = dict.fromkeys(backlog, 0)
    for segment in choose(backlog, Limits(5, 10**12)):
        taken[segment.chain] += 1
    for chain, count in taken.items():
        assert all(count >= other - 1 or count == len(backlog[chain]) for other in taken.values())


@given(whole_landings(), st.data())
def test_a_plan_without_one_segment_of_its_middle_halts(
    landing: tuple[dict[Chain, Tail], dict[Chain, list[Landed]]], data: st.DataObject
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
    batch, halted = arrange([each for segments in waiting.values() for each in segments], tails)
    assert {each: error.reason for each, error in halted.items()} == {
        chain: BrokenChain(chain, lost.metadata.start, lost.metadata.end)
    }
    expected = {each: len(segments) for each, segments in waiting.items()} | {chain: number}
    assert all(sum(each.chain == one for each in batch.segments) == count for one, count in expected.items())


def test_a_gap_after_the_ledgers_tail_and_an_overlap_with_it_halt() -> None:
    chain = Chain(TOPIC, 0)
    for start, kind in ((12, "gap"), (9, "overlap")):
        batch, halted = arrange([landed(TOPIC, 0, start, 20)], {chain: Tail(5, 10)})
        assert not batch.segments
        assert halted[chain].reason == BrokenChain(chain, 10, start)
        assert kind in str(halted[chain])


def test_a_chain_that_the_ledger_does_not_know_may_start_anywhere() -> None:
    """Kafka's retention may have removed the beginning before the first segment was landed."""
    batch, halted = arrange([landed(TOPIC, 0, 700, 720)], {})
    assert (len(batch.segments), halted) == (1, {})


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        ({Chain(TOPIC, 0): Tail(0, 5)}, True),
        ({Chain(TOPIC, 0): Tail(0, 5), Chain(TOPIC, 1): Tail(0, 9)}, True),  # another chain moved
        ({Chain(TOPIC, 0): Tail(5, 8)}, False),
        ({Chain(TOPIC, 0): Tail(5, 8, landed=False)}, False),  # skipped on record
        ({}, False),
    ],
)
def test_a_plan_holds_while_its_own_chains_did_not_move(now: dict[Chain, Tail], holds: bool) -> None:
    segment = Landed(SegmentKey(TOPIC, 0, 5), metadata(5, 8))
    assert still_holds(Batch((segment,), {Chain(TOPIC, 0): Tail(0, 5)}), now) is holds


@pytest.mark.parametrize(("age", "rests"), [(0, True), (9.9, True), (10, False), (3600, False), (-1, False)])
def test_a_listing_rests_while_its_oldest_segment_is_young(age: float, rests: bool) -> None:
    def listed(chain: Chain, age: float) -> Listed:
        return Listed(SegmentKey(*chain, 0), 1, NOW - timedelta(seconds=age))

    backlog = {
        Chain("a", 0): [listed(Chain("a", 0), 5)],
        Chain("b", 0): [listed(Chain("b", 0), age)],
        Chain("c", 0): [],
    }
    assert Waiting({}, backlog, complete=True).rests(NOW, 10) is rests
    assert not Waiting({}, {}, complete=True).rests(NOW, 10), "nothing waits"
