"""C5 and C13: a text that equals the connector's usual placeholder is a text, in an update and in an insert."""

import pytest

from harness.native_driver import NativeDriver
from harness.reconcile import until_converged

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

TEXT = "__debezium_unavailable_value"


def test_the_placeholder_is_a_text_like_any_other(native: NativeDriver) -> None:
    with native.postgres() as bank:
        bank.execute("update customers set first_name = %s where id = 3", (TEXT,))
        bank.execute(
            "insert into customers (first_name, last_name, email) values ('Ada', %s, 'placeholder@example.com')",
            (TEXT,),
        )
    until_converged(native, 120)
    shown = native.rows("select first_name, last_name from BANK.MARTS.DIM_CUSTOMERS where is_current")
    assert [TEXT in row for row in shown].count(True) == 2
