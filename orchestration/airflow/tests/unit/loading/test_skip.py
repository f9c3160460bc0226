"""A skip on record: only what comes next, and never silently."""

import pytest
from loading_testing.memory import MemoryLanding, MemoryWarehouse, landed, ledger_row

from bank_common.landing.segments import TopicPartition
from bank_dags.loading.failures import LoadError, NotNext
from bank_dags.skip import skip

TOPIC = "bank.public.accounts"
CHAIN = TopicPartition(TOPIC, 0)


def test_the_next_segment_can_be_skipped_and_is_on_record() -> None:
    segments = [landed(TOPIC, 0, 0, 5), landed(TOPIC, 0, 5, 9)]
    warehouse = MemoryWarehouse(ledger=[ledger_row(segments[0])])
    skip(MemoryLanding(segments), warehouse, CHAIN, 5, None, "unreadable")
    row = warehouse.ledger[-1]
    assert (row.start, row.end, row.rows, row.status, row.reason) == (5, 9, 0, "skipped", "unreadable")
    assert row.changes_marts, "the watermark may pass it: the marts are built again"


@pytest.mark.parametrize(("start", "end"), [(4, 9), (6, 9), (0, 5), (5, 5), (5, 3), (5, None)])
def test_anything_else_is_refused(start: int, end: int | None) -> None:
    first = landed(TOPIC, 0, 0, 5)
    warehouse = MemoryWarehouse(ledger=[ledger_row(first)])
    with pytest.raises(LoadError) as caught:
        skip(MemoryLanding([first]), warehouse, CHAIN, start, end, "why")
    assert caught.value.failure == NotNext(CHAIN, 5, start)
    assert (len(warehouse.ledger), warehouse.fence) == (1, 0)
