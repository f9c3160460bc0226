"""Committed changes arrive exactly, in whole transactions; what was rolled back never does."""

import uuid
from decimal import Decimal
from typing import Any, LiteralString

import psycopg
import pytest

from harness.driven import DrivenStack
from harness.reconcile import until_converged
from harness.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def _email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def _insert(connection: psycopg.Connection[Any], sql: LiteralString, *binds: object) -> int:
    row = connection.execute(sql, binds).fetchone()
    assert row is not None
    return row[0]


def _insert_customer(connection: psycopg.Connection[Any], email: str) -> int:
    sql = "insert into customers (first_name, last_name, email) values ('Ada', 'Byron', %s) returning id"
    return _insert(connection, sql, email)


def _current(stack: DrivenStack, email: str) -> list[tuple[Any, ...]]:
    sql = "select customer_id, last_name from BANK.MARTS.DIM_CUSTOMERS where is_current and email = %s"
    return stack.rows(sql, email)


def test_inserts_updates_and_deletes_reach_the_marts_and_rollbacks_never_do(converged: DrivenStack) -> None:
    stack = converged
    kept, gone, never = _email(), _email(), _email()
    with stack.postgres() as bank:
        with bank.transaction():
            kept_id = _insert_customer(bank, kept)
            gone_id = _insert_customer(bank, gone)
        with bank.transaction(force_rollback=True):
            _insert_customer(bank, never)
        until("both customers are in the mart", lambda: _current(stack, kept) and _current(stack, gone), seconds=240)
        bank.execute("update customers set last_name = 'Lovelace' where id = %s", (kept_id,))
        bank.execute("delete from customers where id = %s", (gone_id,))
    until(
        "the update is shown and the deleted customer is gone",
        lambda: _current(stack, kept) == [(kept_id, "Lovelace")] and _current(stack, gone) == [],
        seconds=240,
        state=lambda: (_current(stack, kept), _current(stack, gone)),
    )
    until_converged(stack)
    count = "select count(*) from BANK.RAW.CUSTOMERS where EMAIL = %s"
    assert stack.number(count, never) == 0
    assert stack.number(count, kept) == 2


def test_a_long_transaction_shows_nothing_before_its_commit_and_hides_no_other(converged: DrivenStack) -> None:
    stack = converged
    long_running, short = _email(), _email()
    with stack.postgres(autocommit=False) as first, stack.postgres() as second:
        _insert_customer(first, long_running)
        _insert_customer(second, short)
        until("the short transaction is shown", lambda: _current(stack, short), seconds=240)
        assert _current(stack, long_running) == []
        first.commit()
    until("the long transaction is shown after its commit", lambda: _current(stack, long_running), seconds=240)
    until_converged(stack)


def test_a_transfer_is_never_shown_by_half(converged: DrivenStack) -> None:
    stack = converged
    with stack.postgres() as bank, bank.transaction():
        owner = _insert_customer(bank, _email())
        opened = "insert into accounts (customer_id, account_type, balance) values (%s, 'CHECKING', 500) returning id"
        accounts = [_insert(bank, opened, owner) for _ in range(2)]
    pair = tuple(accounts)
    sql = (
        "select count(*), coalesce(sum(balance), 0) from BANK.MARTS.DIM_ACCOUNTS"
        " where is_current and account_id in (%s, %s)"
    )
    seen: list[tuple[int, Decimal]] = []

    def look() -> tuple[int, Decimal]:
        count, total = stack.rows(sql, *pair)[0]
        seen.append((int(count), total))
        return seen[-1]

    until("both accounts are shown", lambda: look()[0] == 2, seconds=240)
    with stack.postgres() as bank:
        for cents in range(1, 41):
            amount = Decimal(cents) / 100
            with bank.transaction():
                bank.execute("update accounts set balance = balance - %s where id = %s", (amount, accounts[0]))
                bank.execute("update accounts set balance = balance + %s where id = %s", (amount, accounts[1]))
            look()
    until_converged(stack)
    look()
    totals = {total for count, total in seen if count == 2}
    assert totals == {Decimal("1000.00")}
    assert {count for count, _ in seen} <= {0, 2}
