from datetime import UTC, datetime, timedelta

import pytest

from bank_common.landing.segments import SegmentKey, TopicPartition
from bank_common.runtime.motion import Rates
from bankctl.operate.backlog import PAGE, Listed, Listing, Tail, backlog, rates

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ACCOUNTS, CUSTOMERS = TopicPartition("bank.public.accounts", 0), TopicPartition("bank.public.customers", 2)


def at(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def segment(chain: TopicPartition, start: int, seconds: float) -> Listed:
    return Listed(str(SegmentKey(*chain, start)), at(seconds))


def test_the_tails_own_segment_does_not_wait() -> None:
    seen = backlog([Listing(ACCOUNTS, [segment(ACCOUNTS, 0, 999)])], {ACCOUNTS: Tail(0, 10)}, NOW)
    assert (seen.waiting, seen.lost, seen.broken) == (None, (), ())


def test_the_oldest_of_all_chains_is_named_by_the_stores_instants() -> None:
    seen = backlog(
        [
            Listing(ACCOUNTS, [segment(ACCOUNTS, 0, 999), segment(ACCOUNTS, 10, 40), segment(ACCOUNTS, 20, 30)]),
            Listing(CUSTOMERS, [segment(CUSTOMERS, 0, 50)], more=True),
        ],
        {ACCOUNTS: Tail(0, 10)},
        NOW,
    )
    assert seen.waiting is not None
    assert seen.waiting.oldest == str(SegmentKey(*CUSTOMERS, 0))
    assert (seen.waiting.seconds, seen.waiting.count, seen.waiting.more) == (50, 3, True)
    assert (seen.lost, seen.broken) == ((), ())


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (25, "bank.public.accounts/0: gap in the landing: 10 comes next, the segment starts at 25"),
        (5, "bank.public.accounts/0: overlap in the landing: 10 comes next, the segment starts at 5"),
    ],
)
def test_a_chain_that_does_not_go_on_at_its_tail_is_named(start: int, said: str) -> None:
    objects = [segment(ACCOUNTS, 0, 999), segment(ACCOUNTS, start, 100)]
    seen = backlog([Listing(ACCOUNTS, objects)], {ACCOUNTS: Tail(0, 10)}, NOW)
    assert seen.broken == (said,)
    assert seen.waiting is not None


def test_an_object_that_is_no_segment_waits_as_well_and_is_named() -> None:
    foreign = Listed("bank.public.accounts/0000/_SUCCESS", at(200))
    objects = [segment(ACCOUNTS, 0, 999), segment(ACCOUNTS, 10, 5), foreign]
    seen = backlog([Listing(ACCOUNTS, objects)], {ACCOUNTS: Tail(0, 10)}, NOW)
    assert seen.waiting is not None
    assert (seen.waiting.oldest, seen.waiting.seconds) == (foreign.key, 200)
    assert seen.broken == (
        f"the object {foreign.key} in the landing is not a segment: not the key of a landing segment",
    )


@pytest.mark.parametrize("listings", [[], [Listing(ACCOUNTS, ())], [Listing(ACCOUNTS, [segment(ACCOUNTS, 10, 5)])]])
def test_a_tail_that_is_not_in_the_landing_is_lost(listings: list[Listing]) -> None:
    seen = backlog(listings, {ACCOUNTS: Tail(0, 10)}, NOW)
    key = SegmentKey(*ACCOUNTS, 0)
    assert seen.lost == (f"bank.public.accounts/0: RAW.LOAD_LEDGER ends with {key}, which is not in the landing",)


def test_a_range_that_was_skipped_needs_no_object() -> None:
    seen = backlog([Listing(ACCOUNTS, [segment(ACCOUNTS, 10, 5)])], {ACCOUNTS: Tail(0, 10, landed=False)}, NOW)
    assert (seen.lost, seen.broken) == ((), ())
    assert seen.waiting is not None


def test_rates_are_of_the_chains_that_are_behind() -> None:
    behind = [segment(ACCOUNTS, 0, 999), *(segment(ACCOUNTS, 10 + n, 119 - n) for n in range(120))]
    young = [segment(CUSTOMERS, 0, 3)]
    seen = backlog([Listing(ACCOUNTS, behind), Listing(CUSTOMERS, young)], {ACCOUNTS: Tail(0, 10)}, NOW)
    assert rates(seen, {ACCOUNTS: 30, CUSTOMERS: 600}) == Rates(1.0, 0.5, 60.0)


def test_the_rate_of_a_page_that_was_cut_off_is_that_of_the_page() -> None:
    page = [segment(ACCOUNTS, n, 5000 - n / 4) for n in range(PAGE)]
    seen = backlog([Listing(ACCOUNTS, page, more=True)], {}, NOW)
    assert rates(seen, {}).landed == pytest.approx(4.0, rel=0.01)
    assert rates(seen, {}).loaded == 0
