"""C38: a file that is no segment stops its own table's loads and no other's."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bank_common.names import BUCKET, TABLES
from harness.moves import deposit, in_raw, moves, red
from harness.native_driver import NativeDriver
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.short, pytest.mark.timeout(600)]

CUSTOMERS = next(table for table in TABLES if table.name == "customers")
KEY = f"{CUSTOMERS.topic}/0000/_SUCCESS"
RED_SECONDS = 120
"""The sweep, 30 s, and what a busy machine adds."""


@contextmanager
def _foreign_object(stack: NativeDriver) -> Iterator[None]:
    store = stack.stack.object_store()
    store.put_object(BUCKET, KEY, io.BytesIO(b""), 0)
    try:
        yield
    finally:
        store.remove_object(BUCKET, KEY)


def test_other_tables_go_on_and_it_is_red_by_the_objects_key(native: NativeDriver) -> None:
    with _foreign_object(native):
        moves(native, seconds=120)
        with native.postgres() as bank:
            bank.execute("update customers set first_name = first_name || '.' where id in (1, 2, 3, 4, 5, 6)")
        red(native, KEY, seconds=RED_SECONDS)
        transaction = deposit(native)
        until("another table is loaded", lambda: in_raw(native, transaction), seconds=120, every=0.5)
