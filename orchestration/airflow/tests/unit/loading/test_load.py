"""The load on a landing and a warehouse in memory."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from loading_testing.memory import SHA, MemoryLanding, MemoryWarehouse, landed, ledger_row

from bank_common.landing.segments import SegmentKey, TopicPartition
from bank_common.names import NOTIFICATIONS_TOPIC, TRANSACTION_TOPIC
from bank_dags.loading.failures import (
    ContentDiffers,
    ForeignObject,
    LedgerBeyondLanding,
    LoadError,
    Overtaken,
    RowsDiffer,
    StoreFailed,
)
from bank_dags.loading.load import LISTED_PER_CHAIN, REPLANS, Loader, check_rows, ledger_rows
from bank_dags.loading.load_plan import LoadLimits
from bank_dags.loading.segments import Listed, LoadBatch, Tail

TOPIC = "bank.public.accounts"
LIMITS = LoadLimits(2000, 10**9)


def three(partition: int = 0) -> list:
    return [landed(TOPIC, partition, start, start + 5, rows=1) for start in (0, 5, 10)]


def test_landing_minus_ledger_is_loaded_and_nothing_else() -> None:
    warehouse, segments = MemoryWarehouse(), three()
    warehouse.ledger.append(ledger_row(segments[0]))
    (batch,) = Loader(MemoryLanding(segments), warehouse, LIMITS).run()
    assert batch.segments == 2
    assert warehouse.loaded == [f"{TOPIC}/{segment.file}" for segment in segments[1:]]
    assert [row.segment for row in warehouse.ledger] == [str(segment.key) for segment in segments]
    assert warehouse.staged == []


def test_with_nothing_to_do_no_transaction_is_begun() -> None:
    warehouse = MemoryWarehouse()
    assert list(Loader(MemoryLanding(), warehouse, LIMITS).run()) == []
    assert warehouse.begun == 0


def test_a_ledger_that_moved_before_the_fence_makes_a_new_plan() -> None:
    segments = three()

    def take_the_first(warehouse: MemoryWarehouse) -> None:
        if not warehouse.ledger:
            warehouse.ledger.append(ledger_row(segments[0]))

    warehouse = MemoryWarehouse(rival=take_the_first)
    (batch,) = Loader(MemoryLanding(segments), warehouse, LIMITS).run()
    assert batch.segments == 2
    assert [row.segment for row in warehouse.ledger] == [str(segment.key) for segment in segments]
    assert f"{TOPIC}/{segments[0].file}" not in warehouse.loaded
    assert (warehouse.begun, warehouse.fence) == (2, 1), "the first attempt was rolled back, its fence too"


def test_a_load_that_is_always_overtaken_leaves_the_rest_to_the_next_run() -> None:
    segments = [landed(TOPIC, 0, start, start + 1, rows=1) for start in range(20)]

    def take_one_more(warehouse: MemoryWarehouse) -> None:
        warehouse.ledger.append(ledger_row(segments[len(warehouse.ledger)]))

    warehouse = MemoryWarehouse(rival=take_one_more)
    with pytest.raises(LoadError) as caught:
        list(Loader(MemoryLanding(segments), warehouse, LIMITS).run())
    assert caught.value.failure == Overtaken(REPLANS)
    assert warehouse.loaded == []


def test_a_wrong_count_rolls_back_and_removes_what_was_staged() -> None:
    warehouse = MemoryWarehouse(miscount={TOPIC: 1})
    loader = Loader(MemoryLanding(three()), warehouse, LIMITS)
    assert list(loader.run()) == []
    assert isinstance(loader.halted[TopicPartition(TOPIC, 0)].failure, RowsDiffer)
    assert (warehouse.ledger, warehouse.loaded, warehouse.fence, warehouse.staged) == ([], [], 0, [])


def test_a_ledger_whose_chain_is_not_in_the_landing_halts_that_chain() -> None:
    segments = three()
    warehouse = MemoryWarehouse(ledger=[ledger_row(segments[2])])
    loader = Loader(MemoryLanding(three(partition=1)), warehouse, LIMITS)
    assert sum(batch.segments for batch in loader.run()) == 3
    assert [error.failure for error in loader.halted.values()] == [
        LedgerBeyondLanding(TopicPartition(TOPIC, 0), str(segments[2].key))
    ]


OTHER = "bank.public.customers"


def bad_listing(segments: list) -> dict:
    return {TopicPartition(TOPIC, 0): LoadError(ForeignObject("_SUCCESS", "not a key"))}


def bad_folder(segments: list) -> dict:
    return {TOPIC: LoadError(ForeignObject(f"{TOPIC}/notes", "its folder is no partition's"))}


def bad_bytes(segments: list) -> dict:
    key = segments[1].key
    return {key: LoadError(ContentDiffers(str(key), SHA, "1" * 64))}


def gone(segments: list) -> dict:
    del segments[1]
    return {}


@pytest.mark.parametrize(("fault", "loaded"), [(bad_listing, 0), (bad_folder, 0), (bad_bytes, 1), (gone, 1)])
def test_a_bad_chain_stops_at_its_fault_and_every_other_goes_on(fault: Callable, loaded: int) -> None:
    segments = three()
    faults = fault(segments)
    others = [landed(OTHER, 0, start, start + 1, rows=1) for start in range(450)]
    warehouse = MemoryWarehouse()
    loader = Loader(MemoryLanding(segments + others, faults), warehouse, LoadLimits(100, 10**9))
    assert sum(batch.segments for batch in loader.run()) == 450 + loaded
    assert list(loader.halted) == [TopicPartition(TOPIC, 0)]
    assert not loader.left
    assert sum(row.chain.topic == TOPIC for row in warehouse.ledger) == loaded


def test_a_table_whose_count_differs_stops_alone() -> None:
    warehouse = MemoryWarehouse(miscount={TOPIC: 1})
    loader = Loader(MemoryLanding([*three(), landed(OTHER, 0, 0, 1, rows=1)]), warehouse, LIMITS)
    assert [batch.segments for batch in loader.run()] == [1]
    assert list(loader.halted) == [TopicPartition(TOPIC, 0)]
    assert warehouse.staged == []


@pytest.mark.parametrize("subject", [TOPIC, TopicPartition(TOPIC, 0), SegmentKey(TOPIC, 0, 5)], ids=str)
def test_a_store_that_fails_is_no_chains_fault(subject: TopicPartition | SegmentKey | str) -> None:
    landing = MemoryLanding(three(), {subject: LoadError(StoreFailed("503"))})
    with pytest.raises(LoadError, match="503"):
        list(Loader(landing, MemoryWarehouse(), LIMITS).run())


class ManualClock:
    """Moves by a second with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


class EndlessLanding(MemoryLanding):
    """A landing that never runs dry: each listing finds one segment more."""

    def after(self, chain: TopicPartition, tail: Tail | None, limit: int) -> Sequence[Listed]:
        at = max(segment.metadata.end for segment in self.segments)
        self.segments.append(landed(TOPIC, 0, at, at + 1, rows=1))
        return super().after(chain, tail, limit)


def test_a_run_ends_although_the_landing_never_runs_dry() -> None:
    landing = EndlessLanding([landed(TOPIC, 0, 0, 1, rows=1)])
    loader = Loader(landing, MemoryWarehouse(), LIMITS, run_seconds=1e9)
    assert [batch.segments for batch in loader.run()] == [2]
    assert not loader.left, "what landed after the listing is the next wake-up's"


@pytest.mark.parametrize(("run_seconds", "batches"), [(0.0, 1), (3.0, 3)])
def test_a_run_whose_time_is_over_says_that_work_is_left(run_seconds: float, batches: int) -> None:
    segments = [landed(TOPIC, 0, start, start + 1, rows=1) for start in range(50)]
    loader = Loader(
        MemoryLanding(segments), MemoryWarehouse(), LoadLimits(10, 10**9), run_seconds=run_seconds, clock=ManualClock()
    )
    loaded = list(loader.run())
    assert len(loaded) == batches
    assert loader.left


@pytest.mark.parametrize(("age", "batches"), [(0, 0), (3600, 1)])
def test_a_run_that_rests_loads_only_what_has_waited(age: float, batches: int) -> None:
    landing = MemoryLanding(three(), landed_at=datetime.now(UTC) - timedelta(seconds=age))
    loader = Loader(landing, MemoryWarehouse(), LIMITS, rest_seconds=600)
    assert len(list(loader.run())) == batches
    assert not loader.left


def test_a_listing_that_shows_a_part_is_followed_by_the_next() -> None:
    segments = [landed(TOPIC, 0, start, start + 1, rows=1) for start in range(2 * LISTED_PER_CHAIN + 1)]
    landing = MemoryLanding(segments)
    loader = Loader(landing, MemoryWarehouse(), LoadLimits(10_000, 10**9))
    assert sum(batch.segments for batch in loader.run()) == len(segments)
    assert landing.listings == 3
    assert not loader.left


def test_many_segments_are_copied_in_statements_of_bounded_size() -> None:
    segments = [landed(TOPIC, 0, start, start + 1, rows=1) for start in range(900)]
    assert sum(batch.segments for batch in Loader(MemoryLanding(segments), MemoryWarehouse(), LIMITS).run()) == 900


def test_rows_that_copy_does_not_mention_are_missing_rows() -> None:
    first, second = landed(TOPIC, 0, 0, 2, rows=2), landed(TOPIC, 0, 2, 5, rows=3)
    check_rows([first, second], {first.file: 2, second.file: 3})
    with pytest.raises(LoadError) as caught:
        check_rows([first, second], {first.file: 2})
    assert caught.value.failure == RowsDiffer(str(second.key), 3, 0)
    with pytest.raises(LoadError):
        check_rows([first, second], {first.file: 3, second.file: 2})  # the sum is right


@pytest.mark.parametrize(
    ("topic", "rows", "counted", "changes"),
    [
        (TOPIC, 1, False, True),
        (TOPIC, 0, False, False),  # dead letters only
        (NOTIFICATIONS_TOPIC, 1, False, True),
        (NOTIFICATIONS_TOPIC, 0, False, False),
        (TRANSACTION_TOPIC, 2, True, True),
        (TRANSACTION_TOPIC, 2, False, False),  # a heartbeat's BEGIN and END
        (TRANSACTION_TOPIC, 0, False, False),
    ],
)
def test_what_changes_the_marts(topic: str, rows: int, counted: bool, changes: bool) -> None:
    segment = landed(topic, 0, 0, 5, rows=rows)
    ends = frozenset({str(segment.key)}) if counted else frozenset()
    (row,) = ledger_rows(LoadBatch((segment,), {}), ends)
    assert row.changes_marts is changes
