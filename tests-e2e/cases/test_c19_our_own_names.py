"""C19: a column that is called like one of ours is on record, and stops nothing; see bankctl's tests for migrations."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.moves import moves
from harness.native_driver import NativeDriver
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]


@contextmanager
def _column_of_ours(stack: NativeDriver) -> Iterator[None]:
    with stack.postgres(role="postgres") as bank:
        bank.execute("alter table customers add column _cdc_op text")
        try:
            yield
        finally:
            bank.execute("alter table customers drop column _cdc_op")


def test_a_column_of_our_own_name_is_on_record_and_stops_nothing(native: NativeDriver) -> None:
    with _column_of_ours(native):
        with native.postgres() as bank:
            bank.execute("update customers set _cdc_op = 'mine' where id = 5")
        moves(native, seconds=120)
        noted = 'select _CDC_OP from BANK.RAW.CUSTOMERS where _CDC_NOT_REPRESENTABLE = \'{"_cdc_op": "mine"}\''
        until("it is on record", lambda: native.rows(noted), seconds=60)
        assert native.rows(noted) == [("u",)]
    moves(native, seconds=120)
