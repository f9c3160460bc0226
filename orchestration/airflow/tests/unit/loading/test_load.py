"""The load on a landing and a warehouse in memory."""

import pytest
from load_world.memory import MemoryLanding, MemoryWarehouse, landed, ledger_row

from bank_common.names import NOTIFICATIONS_TOPIC, TRANSACTION_TOPIC
from bank_dags.loading.load import REPLANS, Loader, check_rows, ledger_rows
from bank_dags.loading.plan import Limits
from bank_dags.loading.reasons import LedgerBeyondLanding, LoadError, Overtaken, RowsDiffer
from bank_dags.loading.segments import Batch, Chain

TOPIC = "bank.public.accounts"
LIMITS = Limits(100, 10**9)


def three(partition: int = 0) -> list:
    return [landed(TOPIC, partition, start, start + 5, rows=1) for start in (0, 5, 10)]


def test_landing_minus_ledger_is_loaded_and_nothing_else() -> None:
    warehouse, segments = MemoryWarehouse(), three()
    warehouse.ledger.append(ledger_row(segments[0]))
    (batch,) = Loader(MemoryLanding(segments), warehouse, LIMITS).run()
    assert batch.segments == 2
    assert warehouse.loaded == [f"{TOPIC}/{each.file}" for each in segments[1:]]
    assert [row.segment for row in warehouse.ledger] == [str(each.key) for each in segments]
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
    assert [row.segment for row in warehouse.ledger] == [str(each.key) for each in segments]
    assert f"{TOPIC}/{segments[0].file}" not in warehouse.loaded
    assert (warehouse.begun, warehouse.fence) == (2, 1), "the first attempt was rolled back, its fence too"


def test_a_load_that_is_always_overtaken_leaves_the_rest_to_the_next_run() -> None:
    segments = [landed(TOPIC, 0, start, start + 1, rows=1) for start in range(20)]

    def take_one_more(warehouse: MemoryWarehouse) -> None:
        warehouse.ledger.append(ledger_row(segments[len(warehouse.ledger)]))

    warehouse = MemoryWarehouse(rival=take_one_more)
    with pytest.raises(LoadError) as caught:
        list(Loader(MemoryLanding(segments), warehouse, LIMITS).run())
    assert caught.value.reason == Overtaken(REPLANS)
    assert warehouse.loaded == []


def test_a_wrong_count_rolls_back_and_removes_what_was_staged() -> None:
    warehouse = MemoryWarehouse(miscount=1)
    with pytest.raises(LoadError) as caught:
        list(Loader(MemoryLanding(three()), warehouse, LIMITS).run())
    assert isinstance(caught.value.reason, RowsDiffer)
    assert (warehouse.ledger, warehouse.loaded, warehouse.fence, warehouse.staged) == ([], [], 0, [])


def test_a_ledger_whose_chain_is_not_in_the_landing_halts() -> None:
    segments = three()
    warehouse = MemoryWarehouse(ledger=[ledger_row(segments[2])])
    with pytest.raises(LoadError) as caught:
        list(Loader(MemoryLanding(three(partition=1)), warehouse, LIMITS).run())
    assert caught.value.reason == LedgerBeyondLanding(Chain(TOPIC, 0), str(segments[2].key))


def test_many_segments_are_copied_in_statements_of_bounded_size() -> None:
    segments = [landed(TOPIC, 0, start, start + 1, rows=1) for start in range(1201)]
    (batch,) = Loader(MemoryLanding(segments), MemoryWarehouse(), Limits(2000, 10**9)).run()
    assert batch.segments == 1201


def test_rows_that_copy_does_not_mention_are_missing_rows() -> None:
    first, second = landed(TOPIC, 0, 0, 2, rows=2), landed(TOPIC, 0, 2, 5, rows=3)
    check_rows([first, second], {first.file: 2, second.file: 3})
    with pytest.raises(LoadError) as caught:
        check_rows([first, second], {first.file: 2})
    assert caught.value.reason == RowsDiffer(str(second.key), 3, 0)
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
    (row,) = ledger_rows(Batch((segment,), {}), ends)
    assert row.changes_marts is changes
