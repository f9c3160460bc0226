"""C17: a column that becomes NOT NULL, and nullable again, stops nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.moves import moves
from harness.native_driver import NativeDriver

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]


@contextmanager
def _hardened(stack: NativeDriver) -> Iterator[None]:
    with stack.postgres(role="postgres") as bank:
        bank.execute("update accounts set created_at = now() where created_at is null")
        bank.execute("alter table accounts alter column created_at set not null")
        try:
            yield
        finally:
            bank.execute("alter table accounts alter column created_at drop not null")


def test_a_hardened_column_stops_nothing(native: NativeDriver) -> None:
    with _hardened(native):
        moves(native, seconds=120)
    moves(native, seconds=120)
