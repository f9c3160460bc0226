"""C16: another program's logical message of any size is not read, and one of ours of some megabytes is carried."""

import pytest

from harness.moves import moves
from harness.native_driver import NativeDriver

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]


@pytest.mark.parametrize(("prefix", "size"), [("x", 2_000_000), ("x", 40_000_000), ("traceparent", 2_000_000)])
def test_a_large_logical_message_stops_nothing(native: NativeDriver, prefix: str, size: int) -> None:
    with native.postgres() as bank:
        bank.execute("select pg_logical_emit_message(true, %s, repeat('a', %s))", (prefix, size))
    moves(native, seconds=120)
