"""A bank in memory that keeps the promises of `BankDatabase`, and ways for it to break."""

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal
from itertools import count

from generator.model.actions import (
    Action,
    ChangeProfile,
    CloseAccount,
    CloseCustomer,
    Deposit,
    OpenAccount,
    OpenCustomer,
    Opening,
    Person,
    PlannedAction,
    Transfer,
    Withdrawal,
)
from generator.model.outcomes import Account, Changes, Committed, KnownState, Money, Outcome, RolledBack
from generator.ports import BankAwayError


class InMemoryBankDatabase:
    """A `BankDatabase` whose rows are dictionaries. Row changes are counted for customers and accounts only."""

    def __init__(self) -> None:
        self.customers: dict[int, Person] = {}
        self.accounts: dict[int, Account] = {}
        self.performed: list[PlannedAction] = []
        self.traceparents: list[str | None] = []
        self._identities = count(1)

    def open(self) -> KnownState:
        return KnownState(customers=dict(self.customers), accounts=dict(self.accounts))

    def position(self) -> str:
        return f"0/{len(self.performed):X}"

    def perform(self, plan: PlannedAction, traceparent: str | None) -> Outcome:
        self.performed.append(plan)
        self.traceparents.append(traceparent)
        before = dict(self.customers), dict(self.accounts)
        result = self._apply(plan.action)
        if isinstance(result, RolledBack) or plan.given_up:
            self.customers, self.accounts = before
            return result if isinstance(result, RolledBack) else RolledBack("given_up")
        return result

    def total(self) -> Decimal:
        return sum((account.balance for account in self.accounts.values()), Decimal(0))

    def _apply(self, action: Action) -> Outcome:
        match action:
            case OpenCustomer(person=person, openings=openings):
                if person.email in {known.email for known in self.customers.values()}:
                    return RolledBack("stale", KnownState(taken_emails=(person.email,)))
                identity = next(self._identities)
                self.customers[identity] = person
                return self._open_accounts(identity, openings, {identity: person})
            case OpenAccount(customer_id=identity, opening=opening):
                if identity not in self.customers:
                    return RolledBack("stale", KnownState(gone_customers=(identity,)))
                return self._open_accounts(identity, (opening,), {})
            case Deposit(account_id=identity, amount=amount):
                return self._move({identity: amount}, Money(paid_in=amount))
            case Withdrawal(account_id=identity, amount=amount):
                return self._move({identity: -amount}, Money(paid_out=amount))
            case Transfer(source_id=source, target_id=target, amount=amount):
                return self._move({source: -amount, target: amount}, Money(transferred=amount))
            case ChangeProfile(customer_id=identity, person=person):
                if identity not in self.customers:
                    return RolledBack("stale", KnownState(gone_customers=(identity,)))
                self.customers[identity] = person
                return Committed(KnownState(customers={identity: person}), {("customers", "update"): 1}, Money())
            case CloseAccount(account_id=identity, heir_id=heir):
                return self._close_account(identity, heir)
            case CloseCustomer(customer_id=identity):
                return self._close_customer(identity)

    def _open_accounts(self, owner: int, openings: tuple[Opening, ...], customers: dict[int, Person]) -> Committed:
        opened = {next(self._identities): Account(owner, opening.deposit) for opening in openings}
        self.accounts.update(opened)
        paid_in = sum((opening.deposit for opening in openings), Decimal(0))
        changes: Changes = {("customers", "insert"): len(customers), ("accounts", "insert"): len(opened)}
        return Committed(KnownState(customers=customers, accounts=opened), changes, Money(paid_in=paid_in))

    def _move(self, deltas: dict[int, Decimal], money: Money) -> Outcome:
        gone = tuple(identity for identity in deltas if identity not in self.accounts)
        known = {identity: self.accounts[identity] for identity in deltas if identity in self.accounts}
        if gone or any(known[identity].balance + delta < 0 for identity, delta in deltas.items()):
            return RolledBack("stale", KnownState(accounts=known, gone_accounts=gone))
        changed = {i: replace(account, balance=account.balance + deltas[i]) for i, account in known.items()}
        self.accounts.update(changed)
        return Committed(KnownState(accounts=changed), {("accounts", "update"): len(changed)}, money)

    def _close_account(self, identity: int, heir: int | None) -> Outcome:
        balance = self.accounts[identity].balance if identity in self.accounts else Decimal(0)
        deltas = {identity: -balance} | ({} if heir is None else {heir: balance})
        moved = self._move(deltas, Money(transferred=balance) if heir is not None else Money(paid_out=balance))
        if isinstance(moved, RolledBack):
            return moved
        del self.accounts[identity]
        kept = {} if heir is None else {heir: self.accounts[heir]}
        return replace(moved, state=KnownState(accounts=kept, gone_accounts=(identity,)))

    def _close_customer(self, identity: int) -> Outcome:
        if self.customers.pop(identity, None) is None:
            return RolledBack("stale", KnownState(gone_customers=(identity,)))
        gone = {i: account.balance for i, account in self.accounts.items() if account.customer_id == identity}
        for account_id in gone:
            del self.accounts[account_id]
        state = KnownState(gone_accounts=tuple(gone), gone_customers=(identity,))
        return Committed(state, {("customers", "delete"): 1}, Money(paid_out=sum(gone.values(), Decimal(0))))


class LosingBankDatabase(InMemoryBankDatabase):
    """Breaks the connection at the given transactions (counted from 1), after or before they are committed."""

    def __init__(self, *, answer_lost: Collection[int] = (), never_sent: Collection[int] = (), away: int = 0) -> None:
        super().__init__()
        self._answer_lost = answer_lost
        self._never_sent = never_sent
        self._away = away
        self._calls = 0
        self._broken = False
        self.opened = 0

    def open(self) -> KnownState:
        self.opened += 1
        if self._away > 0:
            self._away -= 1
            raise BankAwayError("connection refused")
        self._broken = False
        return super().open()

    def perform(self, plan: PlannedAction, traceparent: str | None) -> Outcome:
        if self._broken:
            raise BankAwayError("not connected")
        self._calls += 1
        if self._calls in self._never_sent:
            self._broken = True
            raise BankAwayError("server closed the connection")
        outcome = super().perform(plan, traceparent)
        if self._calls in self._answer_lost:
            self._broken = True
            raise BankAwayError("server closed the connection", outcome_unknown=True)
        return outcome


class ManualPause:
    """Time that passes only in waits; it says stop at `stop_at`."""

    def __init__(self, stop_at: float = float("inf")) -> None:
        self._now = 0.0
        self._stop_at = stop_at
        self.waits: list[float] = []

    def now(self) -> float:
        return self._now

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self._now += seconds
        return self._now >= self._stop_at
