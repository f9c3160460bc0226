"""C3 and C15: money that is no number, in a column with a default and in one without: on record, and the rest flows."""

import pytest

from harness.moves import moves
from harness.native_driver import NativeDriver
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]


def test_money_that_is_no_number_is_named_and_everything_else_flows(native: NativeDriver) -> None:
    with native.postgres() as bank:
        bank.execute("update accounts set balance = 'NaN' where id = 2")
        bank.execute("insert into transactions (account_id, txn_type, amount) values (2, 'DEPOSIT', 'NaN')")
        moves(native, seconds=120)
        for table, column in (("ACCOUNTS", "balance"), ("TRANSACTIONS", "amount")):
            noted = f"select {column} from BANK.RAW.{table} where _CDC_NOT_REPRESENTABLE = %s"
            until(
                f"{table}.{column} is on record",
                lambda query=noted, name=column: native.rows(query, f'{{"{name}": "NaN"}}'),
                seconds=60,
            )
            assert native.rows(noted, f'{{"{column}": "NaN"}}') == [(None,)]
        bank.execute("update accounts set balance = 1 where id = 2")
        bank.execute("delete from transactions where amount = 'NaN'")
