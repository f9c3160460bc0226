"""Each action as SQL inside one transaction: lock what it touches, check it, write it.

Rows are locked in one order everywhere (a customer, then accounts by id), so that generators side by side never
deadlock. What is found after locking decides: an action that no longer fits raises `StaleError` with what is true.
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, LiteralString, assert_never

import psycopg

from generator.model.actions import (
    Action,
    ChangeProfile,
    CloseAccount,
    CloseCustomer,
    Deposit,
    OpenAccount,
    OpenCustomer,
    Opening,
    Transfer,
    Withdrawal,
)
from generator.model.outcomes import ZERO, Account, Changes, KnownState, Money, Operation

_ADD = "UPDATE accounts SET balance = balance + %s WHERE id = %s"
_POST = "INSERT INTO transactions (account_id, txn_type, amount, related_account_id) VALUES (%s, %s, %s, %s)"
_LOCK_ACCOUNTS = "SELECT id, customer_id, balance FROM accounts WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_LOCK_CLOSING = "SELECT id, customer_id, balance FROM accounts WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
_LOCK_ACCOUNTS_OF = "SELECT id, customer_id, balance FROM accounts WHERE customer_id = %s ORDER BY id FOR UPDATE"
_INSERT_ACCOUNTS = """
INSERT INTO accounts (customer_id, account_type, balance)
SELECT %s, opening.account_type, opening.balance
FROM unnest(%s::text[], %s::numeric[]) WITH ORDINALITY AS opening (account_type, balance, number)
ORDER BY opening.number
RETURNING id
"""


class StaleError(Exception):
    """The rows are not as the plan assumed; `state` is how they are."""

    def __init__(self, state: KnownState) -> None:
        super().__init__("the rows have changed")
        self.state = state


class Booking:
    """The statements of one transaction: runs them, and counts the rows that they change."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection
        self._written: list[tuple[str, Operation, psycopg.Cursor[tuple[Any, ...]]]] = []

    def read(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows, now."""
        return self._connection.execute(query, parameters).fetchall()

    def write(self, table: str, operation: Operation, query: LiteralString, *parameters: object) -> psycopg.Cursor[Any]:
        """A change; in a pipeline it is sent with those that follow, and an error shows at the end."""
        cursor = self._connection.execute(query, parameters)
        self._written.append((table, operation, cursor))
        return cursor

    def changes(self) -> Changes:
        """Rows changed, once everything was sent."""
        counts: Counter[tuple[str, Operation]] = Counter()
        for table, operation, cursor in self._written:
            counts[table, operation] += cursor.rowcount
        return counts

    # -- postings ----------------------------------------------------------------------------------------------

    def pay_in(self, account_id: int, amount: Decimal) -> None:
        self.write("accounts", "update", _ADD, amount, account_id)
        self.write("transactions", "insert", _POST, account_id, "DEPOSIT", amount, None)

    def pay_out(self, account_id: int, amount: Decimal) -> None:
        self.write("accounts", "update", _ADD, -amount, account_id)
        self.write("transactions", "insert", _POST, account_id, "WITHDRAWAL", amount, None)

    def move(self, source_id: int, target_id: int, amount: Decimal) -> None:
        """Write one row in `transactions`: `account_id` pays, `related_account_id` receives."""
        self.write("accounts", "update", _ADD, -amount, source_id)
        self.write("accounts", "update", _ADD, amount, target_id)
        self.write("transactions", "insert", _POST, source_id, "TRANSFER", amount, target_id)

    def open_accounts(self, customer_id: int, openings: Sequence[Opening]) -> dict[int, Account]:
        types, deposits = [o.account_type for o in openings], [o.deposit for o in openings]
        opened = self.write("accounts", "insert", _INSERT_ACCOUNTS, customer_id, types, deposits)
        identities = sorted(row[0] for row in opened.fetchall())
        for identity, deposit in zip(identities, deposits, strict=True):
            self.write("transactions", "insert", _POST, identity, "DEPOSIT", deposit, None)
        return {i: Account(customer_id, deposit) for i, deposit in zip(identities, deposits, strict=True)}

    def remove_accounts(self, account_ids: Sequence[int]) -> None:
        """Transactions first: the foreign key would cascade to them, but this way they are counted."""
        ids = list(account_ids)
        self.write("transactions", "delete", "DELETE FROM transactions WHERE account_id = ANY(%s)", ids)
        self.write("accounts", "delete", "DELETE FROM accounts WHERE id = ANY(%s)", ids)

    # -- locks -------------------------------------------------------------------------------------------------

    def lock_accounts(self, *account_ids: int, closing: bool = False) -> dict[int, Account]:
        """Lock accounts for a change (or for their end).

        Raises:
            StaleError: one of them is gone.
        """
        rows = self.read(_LOCK_CLOSING if closing else _LOCK_ACCOUNTS, list(account_ids))
        locked = {row[0]: Account(row[1], row[2]) for row in rows}
        gone = tuple(sorted(set(account_ids) - locked.keys()))
        if gone:
            raise StaleError(KnownState(accounts=locked, gone_accounts=gone))
        return locked


def book(booking: Booking, action: Action) -> tuple[KnownState, Money]:
    """Write an action; what will be true once it is committed, and the money it moves.

    Raises:
        StaleError: it does not fit what the database holds; nothing of it may be committed.
        psycopg.Error: the database refused.
    """
    match action:
        case OpenCustomer():
            return _open_customer(booking, action)
        case OpenAccount():
            return _open_account(booking, action)
        case Deposit():
            account = booking.lock_accounts(action.account_id)[action.account_id]
            booking.pay_in(action.account_id, action.amount)
            return _balances({action.account_id: (account, action.amount)}), Money(paid_in=action.amount)
        case Withdrawal():
            account = _with_funds(booking.lock_accounts(action.account_id), action.account_id, action.amount)
            booking.pay_out(action.account_id, action.amount)
            return _balances({action.account_id: (account, -action.amount)}), Money(paid_out=action.amount)
        case Transfer():
            return _transfer(booking, action)
        case ChangeProfile():
            return _change_profile(booking, action)
        case CloseAccount():
            return _close_account(booking, action)
        case CloseCustomer():
            return _close_customer(booking, action)
    assert_never(action)


def _open_customer(booking: Booking, action: OpenCustomer) -> tuple[KnownState, Money]:
    person = action.person
    opened = booking.write(
        "customers",
        "insert",
        "INSERT INTO customers (first_name, last_name, email) VALUES (%s, %s, %s) RETURNING id",
        person.first_name,
        person.last_name,
        person.email,
    )
    customer_id: int = opened.fetchall()[0][0]
    accounts = booking.open_accounts(customer_id, action.openings)
    return KnownState(customers={customer_id: person}, accounts=accounts), _opening_money(action.openings)


def _open_account(booking: Booking, action: OpenAccount) -> tuple[KnownState, Money]:
    if not booking.read("SELECT 1 FROM customers WHERE id = %s FOR KEY SHARE", action.customer_id):
        raise StaleError(KnownState(gone_customers=(action.customer_id,)))
    return KnownState(accounts=booking.open_accounts(action.customer_id, [action.opening])), _opening_money(
        [action.opening]
    )


def _transfer(booking: Booking, action: Transfer) -> tuple[KnownState, Money]:
    accounts = booking.lock_accounts(action.source_id, action.target_id)
    source = _with_funds(accounts, action.source_id, action.amount)
    target = accounts[action.target_id]
    booking.move(action.source_id, action.target_id, action.amount)
    state = _balances({action.source_id: (source, -action.amount), action.target_id: (target, action.amount)})
    return state, Money(transferred=action.amount)


def _change_profile(booking: Booking, action: ChangeProfile) -> tuple[KnownState, Money]:
    person = action.person
    changed = booking.write(
        "customers",
        "update",
        "UPDATE customers SET last_name = %s, email = %s WHERE id = %s RETURNING id",
        person.last_name,
        person.email,
        action.customer_id,
    )
    if not changed.fetchall():
        raise StaleError(KnownState(gone_customers=(action.customer_id,)))
    return KnownState(customers={action.customer_id: person}), Money()


def _close_account(booking: Booking, action: CloseAccount) -> tuple[KnownState, Money]:
    heirs = () if action.heir_id is None else (action.heir_id,)
    accounts = booking.lock_accounts(action.account_id, *heirs, closing=True)
    balance = accounts[action.account_id].balance
    state, money = KnownState(gone_accounts=(action.account_id,)), Money()
    if balance > 0 and action.heir_id is not None:
        booking.move(action.account_id, action.heir_id, balance)
        heir = accounts[action.heir_id]
        kept = {action.heir_id: Account(heir.customer_id, heir.balance + balance)}
        state, money = KnownState(accounts=kept, gone_accounts=(action.account_id,)), Money(transferred=balance)
    elif balance > 0:
        booking.pay_out(action.account_id, balance)
        money = Money(paid_out=balance)
    booking.remove_accounts([action.account_id])
    return state, money


def _close_customer(booking: Booking, action: CloseCustomer) -> tuple[KnownState, Money]:
    if not booking.read("SELECT 1 FROM customers WHERE id = %s FOR UPDATE", action.customer_id):
        raise StaleError(KnownState(gone_customers=(action.customer_id,)))
    accounts = booking.read(_LOCK_ACCOUNTS_OF, action.customer_id)
    paid_out = ZERO
    for identity, _, balance in accounts:
        if balance > 0:
            booking.pay_out(identity, balance)
            paid_out += balance
    gone = tuple(row[0] for row in accounts)
    if gone:
        booking.remove_accounts(gone)
    booking.write("customers", "delete", "DELETE FROM customers WHERE id = %s", action.customer_id)
    return KnownState(gone_accounts=gone, gone_customers=(action.customer_id,)), Money(paid_out=paid_out)


def _with_funds(accounts: dict[int, Account], account_id: int, amount: Decimal) -> Account:
    """The account that pays; stale when it no longer has the amount."""
    account = accounts[account_id]
    if account.balance < amount:
        raise StaleError(KnownState(accounts=accounts))
    return account


def _balances(deltas: dict[int, tuple[Account, Decimal]]) -> KnownState:
    changed = {i: Account(account.customer_id, account.balance + delta) for i, (account, delta) in deltas.items()}
    return KnownState(accounts=changed)


def _opening_money(openings: Sequence[Opening]) -> Money:
    return Money(paid_in=sum((opening.deposit for opening in openings), ZERO))
