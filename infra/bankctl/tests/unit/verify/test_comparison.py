"""A planted difference of every kind is found, and equal sides are equal."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankctl.verify.comparison import TABLES, ComparedTable, Row, compare

ACCOUNTS = next(table for table in TABLES if table.table == "accounts")
WHEN = datetime.datetime(2026, 11, 24, 3, 0, 0, 123456, tzinfo=datetime.UTC)


def _account(key: int, balance: object = Decimal("10.00"), when: datetime.datetime = WHEN) -> Row:
    return (key, 1, "CHECKING", balance, "USD", when)


def test_equal_sides_are_equal_and_their_money_is_summed() -> None:
    rows = [_account(1), _account(2, Decimal("0.01"))]
    difference = compare(ACCOUNTS, rows, rows)
    assert difference.equal
    assert (difference.source.rows, difference.mart.rows) == (2, 2)
    assert difference.source.money == difference.mart.money == Decimal("10.01")


def test_instants_are_compared_as_instants() -> None:
    elsewhere = WHEN.astimezone(datetime.timezone(datetime.timedelta(hours=5)))
    assert compare(ACCOUNTS, [_account(1)], [_account(1, when=elsewhere)]).equal


@pytest.mark.parametrize(
    "changed",
    [
        _account(1, Decimal("10.01")),
        _account(1, 10.0),
        _account(1, None),
        _account(1, when=WHEN + datetime.timedelta(microseconds=1)),
        _account(1, when=WHEN.replace(tzinfo=None)),
    ],
)
def test_one_changed_value_is_on_both_sides_alone(changed: Row) -> None:
    difference = compare(ACCOUNTS, [_account(1)], [changed])
    assert not difference.equal
    assert (difference.source.only_here, difference.mart.only_here, difference.keys) == (1, 1, [1])
    assert sum(difference.columns.values()) == 1


def test_missing_extra_and_repeated_rows_are_found() -> None:
    difference = compare(
        ACCOUNTS, [_account(1), _account(2), _account(4)], [_account(2), _account(3), _account(4), _account(4)]
    )
    assert (difference.source.only_here, difference.mart.only_here) == (1, 2)
    assert difference.keys == [1, 3, 4]


def test_a_side_out_of_order_is_refused() -> None:
    with pytest.raises(ValueError, match="the mart gave key 1 after 2"):
        compare(ACCOUNTS, [_account(1), _account(2)], [_account(2), _account(1)])


def test_queries_name_columns_in_one_order() -> None:
    assert ACCOUNTS.source_query.startswith("SELECT id, customer_id, account_type, balance,")
    assert ACCOUNTS.mart_query.startswith("SELECT account_id, customer_id, account_type, balance,")
    assert ACCOUNTS.mart_query.endswith("WHERE is_current ORDER BY account_id")


_ROWS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["a", "b", None])), max_size=12)
_PAIR = ComparedTable("t", "m", (("id", "id"), ("v", "v")))


@given(_ROWS, _ROWS)
def test_both_ways_equal_what_multisets_say(left: list[Row], right: list[Row]) -> None:
    from collections import Counter

    difference = compare(_PAIR, sorted(left, key=lambda row: row[0]), sorted(right, key=lambda row: row[0]))
    assert difference.source.only_here == (Counter(left) - Counter(right)).total()
    assert difference.mart.only_here == (Counter(right) - Counter(left)).total()
