"""Committed changes arrive exactly, each commit whole; what was rolled back never does.

One history of the bank is written while somebody looks at the marts; each test judges one promise by what was seen.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, LiteralString

import psycopg
import pytest

from harness.reconcile import until_converged
from harness.stack_driver import StackDriver
from harness.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
TRANSFERS = 40
OPENING_BALANCE = Decimal(500)


@dataclass(frozen=True)
class History:
    """The e-mail addresses of the customers that were written, and what the marts showed meanwhile."""

    kept: str
    deleted: str
    rolled_back: str
    long_running: str
    short: str
    accounts: tuple[int, int]
    """Two accounts of `kept`, between which money moves."""
    before_the_commit: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    """Rows of the long transaction that the mart showed while it was still open."""
    pairs: list[tuple[int, Decimal]] = field(default_factory=list[tuple[int, Decimal]])
    """(accounts, sum of their balances) as the mart showed the two, again and again."""


def _email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def _insert(connection: psycopg.Connection[Any], sql: LiteralString, *binds: object) -> int:
    row = connection.execute(sql, binds).fetchone()
    assert row is not None
    return row[0]


def _insert_customer(connection: psycopg.Connection[Any], email: str) -> int:
    sql = "insert into customers (first_name, last_name, email) values ('Ada', 'Byron', %s) returning id"
    return _insert(connection, sql, email)


def _last_names(stack: StackDriver, email: str) -> list[tuple[Any, ...]]:
    sql = "select last_name from BANK.MARTS.DIM_CUSTOMERS where is_current and email = %s"
    return stack.rows(sql, email)


def _look(stack: StackDriver, history: History) -> None:
    sql = (
        "select count(*), coalesce(sum(balance), 0) from BANK.MARTS.DIM_ACCOUNTS"
        " where is_current and account_id in (%s, %s)"
    )
    [(count, total)] = stack.rows(sql, *history.accounts)
    history.pairs.append((int(count), total))


@contextmanager
def _begun(stack: StackDriver) -> Iterator[tuple[History, psycopg.Connection[Any]]]:
    """The first half: everything is inserted, and one transaction stays open on the connection that is given."""
    kept, deleted, rolled_back, long_running, short = (_email() for _ in range(5))
    opened = "insert into accounts (customer_id, account_type, balance) values (%s, 'CHECKING', %s) returning id"
    with stack.postgres(autocommit=False) as first, stack.postgres() as bank:
        _insert_customer(first, long_running)
        with bank.transaction():
            owner = _insert_customer(bank, kept)
            _insert_customer(bank, deleted)
            one, other = (_insert(bank, opened, owner, OPENING_BALANCE) for _ in range(2))
        with bank.transaction(force_rollback=True):
            _insert_customer(bank, rolled_back)
        _insert_customer(bank, short)
        yield History(kept, deleted, rolled_back, long_running, short, (one, other)), first


@pytest.fixture(scope="module")
def history(stack: StackDriver) -> History:
    """Write both halves and wait until they are shown; every wait on the way looks at the two accounts."""
    until_converged(stack)
    with _begun(stack) as (history, first):

        def all_shown() -> bool:
            _look(stack, history)
            return all(_last_names(stack, email) for email in (history.kept, history.deleted, history.short))

        until("what was committed is shown while an older transaction is open", all_shown, seconds=240, every=0.5)
        history.before_the_commit.extend(_last_names(stack, history.long_running))
        first.commit()
    with stack.postgres() as bank:
        bank.execute("update customers set last_name = 'Lovelace' where email = %s", (history.kept,))
        bank.execute("delete from customers where email = %s", (history.deleted,))
        for cents in range(1, TRANSFERS + 1):
            amount = Decimal(cents) / 100
            with bank.transaction():
                for change, account in zip((-amount, amount), history.accounts, strict=True):
                    bank.execute("update accounts set balance = balance + %s where id = %s", (change, account))
            _look(stack, history)

    def second_half_shown() -> bool:
        _look(stack, history)
        return _last_names(stack, history.kept) == [("Lovelace",)]

    until("the update is shown", second_half_shown, seconds=240, every=0.5)
    until_converged(stack)
    _look(stack, history)
    return history


def test_an_update_is_shown_and_both_versions_are_in_raw(stack: StackDriver, history: History) -> None:
    assert _last_names(stack, history.kept) == [("Lovelace",)]
    assert stack.number("select count(*) from BANK.RAW.CUSTOMERS where EMAIL = %s", history.kept) == 2


def test_a_deleted_customer_was_shown_and_is_gone(stack: StackDriver, history: History) -> None:
    assert _last_names(stack, history.deleted) == []
    versions = "select count(*) from BANK.MARTS.DIM_CUSTOMERS where email = %s"
    assert stack.number(versions, history.deleted) == 1, "its history stays"


def test_what_was_rolled_back_never_arrives(stack: StackDriver, history: History) -> None:
    assert stack.number("select count(*) from BANK.RAW.CUSTOMERS where EMAIL = %s", history.rolled_back) == 0


def test_a_long_transaction_shows_nothing_before_its_commit_and_hides_no_other(
    stack: StackDriver, history: History
) -> None:
    assert history.before_the_commit == []
    assert _last_names(stack, history.long_running) == [("Byron",)]


def test_a_transfer_is_never_shown_by_half(history: History) -> None:
    assert {count for count, _ in history.pairs} == {0, 2}
    assert {total for count, total in history.pairs if count == 2} == {2 * OPENING_BALANCE}
