"""C12: instants that are infinite or outside the years 1 to 9999 are on record, and the rest flows."""

import pytest

from harness.moves import moves
from harness.native_driver import NativeDriver
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

INSTANTS = ("infinity", "-infinity", "10000-01-01 00:00:00Z", "0044-03-15 00:00:00Z BC")


def test_an_instant_of_no_column_is_named_and_everything_else_flows(native: NativeDriver) -> None:
    with native.postgres() as bank:
        for instant in INSTANTS:
            bank.execute("update customers set created_at = %s where id = 4", (instant,))
        moves(native, seconds=120)
        noted = "select count(*) from BANK.RAW.CUSTOMERS where ID = 4 and _CDC_NOT_REPRESENTABLE like '%created_at%'"
        until("all are on record", lambda: native.number(noted) == len(INSTANTS), seconds=60)
        assert native.number(f"{noted} and CREATED_AT is not null") == 0
        bank.execute("update customers set created_at = now() where id = 4")
