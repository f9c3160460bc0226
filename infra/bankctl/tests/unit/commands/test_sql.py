"""Values keep every digit on their way to JSON."""

import datetime
from decimal import Decimal

from bankctl.commands.sql import plain


def test_decimals_and_instants_are_text_with_every_digit() -> None:
    assert plain(Decimal("1234567890123456.70")) == "1234567890123456.70"
    assert plain(Decimal("1E+3")) == "1000"
    instant = datetime.datetime(2026, 1, 2, 3, 4, 5, 600001, tzinfo=datetime.UTC)
    assert plain(instant) == "2026-01-02T03:04:05.600001+00:00"
    assert plain(7) == 7
    assert plain(None) is None
