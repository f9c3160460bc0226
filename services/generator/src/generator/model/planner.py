"""Decides what the bank does next, from a seeded random source and what is known of the bank. No I/O, no clock."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count
from random import Random
from typing import Final

from generator.model.actions import (
    Action,
    ChangeProfile,
    CloseAccount,
    CloseCustomer,
    Deposit,
    OpenAccount,
    OpenCustomer,
    Opening,
    PlannedAction,
    Transfer,
    Withdrawal,
)
from generator.model.bank import Bank
from generator.model.people import People

ACCOUNT_TYPES: Final = ("CHECKING", "SAVINGS", "BUSINESS")
GIVEN_UP_SHARE: Final = 0.02
_LARGEST_DEPOSIT_CENTS: Final = 500_000
_LARGEST_PAYMENT_CENTS: Final = 100_000


class Planner:
    """Plans one transaction after the other; the caller lets the bank learn each outcome before the next."""

    def __init__(self, bank: Bank, seed: int, accounts_per_customer: int) -> None:
        """Open at most `accounts_per_customer` (at least 1) accounts for a customer."""
        self._bank = bank
        self._random = Random(seed)  # noqa: S311 - repeatable test data, not a secret
        self._people = People(seed)
        self._accounts_per_customer = accounts_per_customer
        # Weights: more is opened than closed, so that a bank grows slowly and never dies out.
        self._mix: dict[Callable[[], Action | None], int] = {
            self._deposit: 300,
            self._withdrawal: 200,
            self._transfer: 350,
            self._change_profile: 60,
            self._open_account: 30,
            self.open_customer: 25,
            self._close_account: 25,
            self._close_customer: 10,
        }

    def plans(self, customers: int, transactions: int | None) -> Iterator[PlannedAction]:
        """Open so many customers, then so many transactions of every kind (None: without end)."""
        for _ in range(customers):
            yield PlannedAction(self.open_customer())
        for _ in range(transactions) if transactions is not None else count():
            yield self.next()

    def next(self) -> PlannedAction:
        """Plan the next transaction, of any kind; now and then it is given up."""
        decide = self._random.choices(list(self._mix), list(self._mix.values()))[0]
        # Where the kind finds nobody to serve, somebody new comes.
        action = decide() or self.open_customer()
        return PlannedAction(action, given_up=self._random.random() < GIVEN_UP_SHARE)

    def open_customer(self) -> OpenCustomer:
        """Plan a new customer with one or more accounts."""
        openings = self._random.randint(1, self._accounts_per_customer)
        person = self._people.person(self._bank.email_is_free)
        return OpenCustomer(person, tuple(self._opening() for _ in range(openings)))

    def _open_account(self) -> Action | None:
        customer_id = self._customer()
        if customer_id is None or len(self._bank.accounts_of(customer_id)) >= self._accounts_per_customer:
            return None
        return OpenAccount(customer_id, self._opening())

    def _opening(self) -> Opening:
        return Opening(self._random.choice(ACCOUNT_TYPES), self._amount(_LARGEST_DEPOSIT_CENTS))

    def _deposit(self) -> Action | None:
        account_id = self._account()
        return None if account_id is None else Deposit(account_id, self._amount(_LARGEST_DEPOSIT_CENTS))

    def _withdrawal(self) -> Action | None:
        account_id = self._account()
        if account_id is None:
            return None
        amount = self._payable(account_id)
        return (
            Deposit(account_id, self._amount(_LARGEST_DEPOSIT_CENTS))
            if amount is None
            else Withdrawal(account_id, amount)
        )

    def _transfer(self) -> Action | None:
        source_id, target_id = self._account(), self._account()
        if source_id is None or target_id is None or source_id == target_id:
            return self._deposit()
        amount = self._payable(source_id)
        if amount is None:
            return Deposit(source_id, self._amount(_LARGEST_DEPOSIT_CENTS))
        return Transfer(source_id, target_id, amount)

    def _change_profile(self) -> Action | None:
        customer_id = self._customer()
        if customer_id is None:
            return None
        person = self._bank.customers[customer_id]
        return ChangeProfile(customer_id, self._people.renamed(person, self._bank.email_is_free))

    def _close_account(self) -> Action | None:
        account_id = self._account()
        if account_id is None:
            return None
        siblings = self._bank.accounts_of(self._bank.accounts[account_id].customer_id)
        others = [sibling for sibling in siblings if sibling != account_id]
        return CloseAccount(account_id, self._random.choice(others) if others else None)

    def _close_customer(self) -> Action | None:
        customer_id = self._customer()
        return None if customer_id is None else CloseCustomer(customer_id)

    def _customer(self) -> int | None:
        return self._bank.choose_customer(self._random) if self._bank.customers else None

    def _account(self) -> int | None:
        return self._bank.choose_account(self._random) if self._bank.accounts else None

    def _payable(self, account_id: int) -> Decimal | None:
        """An amount that the account has; None when it is empty."""
        available = int(self._bank.accounts[account_id].balance * 100)
        return self._amount(min(available, _LARGEST_PAYMENT_CENTS)) if available > 0 else None

    def _amount(self, largest_cents: int) -> Decimal:
        return Decimal(self._random.randint(1, largest_cents)).scaleb(-2)
