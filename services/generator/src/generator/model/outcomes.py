"""Outcomes of an action: the state of the rows in the database, the number of changed rows, the money that moved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from generator.model.actions import Person

ZERO: Final = Decimal("0.00")

Operation = Literal["insert", "update", "delete"]
Changes = Mapping[tuple[str, Operation], int]
"""(table, operation) -> rows."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the database holds it."""

    customer_id: int
    balance: Decimal


@dataclass(frozen=True, slots=True)
class KnownState:
    """The known state of some customers and accounts: their rows now, or that they are gone."""

    customers: Mapping[int, Person] = field(default_factory=dict[int, Person])
    accounts: Mapping[int, Account] = field(default_factory=dict[int, Account])
    gone_customers: tuple[int, ...] = ()
    gone_accounts: tuple[int, ...] = ()
    taken_emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Money:
    """The money of one transaction: the bank holds `paid_in - paid_out` more; `transferred` stayed inside."""

    paid_in: Decimal = ZERO
    paid_out: Decimal = ZERO
    transferred: Decimal = ZERO

    def __add__(self, other: "Money") -> "Money":
        return Money(self.paid_in + other.paid_in, self.paid_out + other.paid_out, self.transferred + other.transferred)


@dataclass(frozen=True, slots=True)
class Committed:
    """The transaction is in the database."""

    state: KnownState
    changes: Changes
    money: Money


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The transaction left no trace: it was given up as planned, or somebody else had changed the rows (`state`)."""

    reason: Literal["given_up", "stale"]
    state: KnownState = field(default_factory=KnownState)


Outcome = Committed | RolledBack
