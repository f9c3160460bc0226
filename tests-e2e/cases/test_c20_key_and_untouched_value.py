"""C20: an UPDATE of a key leaves a large value that it did not touch as it is, twice, and back to a key of before."""

import secrets

import pytest

from harness.native_driver import NativeDriver
from harness.reconcile import until_converged

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

LARGE = 2_400


def test_a_value_that_was_not_sent_goes_along_with_the_new_key(native: NativeDriver) -> None:
    email = f"{secrets.token_hex(LARGE // 2)}@example.com"
    with native.postgres(role="postgres") as bank:
        # Out of line and not compressed: Postgres does not send it with an UPDATE that leaves it alone.
        bank.execute("alter table customers alter column email set storage external")
        inserted = bank.execute(
            "insert into customers (first_name, last_name, email) values ('Ada', 'Byron', %s) returning id", (email,)
        ).fetchone()
        assert inserted is not None
        number = int(inserted[0])
        bank.execute("update customers set id = %s where id = %s", (number + 1_000_000, number))
        bank.execute("update customers set id = %s, last_name = 'King' where id = %s", (number, number + 1_000_000))
        bank.execute("update customers set first_name = 'Augusta' where id = %s", (number,))
    until_converged(native, 120)
    shown = native.rows("select first_name, last_name, email from BANK.MARTS.DIM_CUSTOMERS where is_current")
    assert ("Augusta", "King", email) in shown
