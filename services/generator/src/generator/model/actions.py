"""Actions of the bank: each is one database transaction. Plain data, decided before anything is written."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Person:
    """A customer's names and email. Emails are unique in the bank."""

    first_name: str
    last_name: str
    email: str


@dataclass(frozen=True, slots=True)
class Opening:
    """A new account and the deposit (above zero) that it starts with."""

    account_type: str
    deposit: Decimal


@dataclass(frozen=True, slots=True)
class OpenCustomer:
    """A new customer with at least one account."""

    kind: ClassVar[str] = "open_customer"
    person: Person
    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """Another account for a customer."""

    kind: ClassVar[str] = "open_account"
    customer_id: int
    opening: Opening


@dataclass(frozen=True, slots=True)
class Deposit:
    """A payment into the bank."""

    kind: ClassVar[str] = "deposit"
    account_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A payment out of the bank."""

    kind: ClassVar[str] = "withdrawal"
    account_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Transfer:
    """A payment between two different accounts; the bank has as much as before."""

    kind: ClassVar[str] = "transfer"
    source_id: int
    target_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """A customer's new name or email."""

    kind: ClassVar[str] = "change_profile"
    customer_id: int
    person: Person


@dataclass(frozen=True, slots=True)
class CloseAccount:
    """The end of an account and its transactions. Its money is moved to the heir first, or paid out without one."""

    kind: ClassVar[str] = "close_account"
    account_id: int
    heir_id: int | None


@dataclass(frozen=True, slots=True)
class CloseCustomer:
    """The end of a customer and every account; the money is paid out first."""

    kind: ClassVar[str] = "close_customer"
    customer_id: int


Action = OpenCustomer | OpenAccount | Deposit | Withdrawal | Transfer | ChangeProfile | CloseAccount | CloseCustomer


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """An action, and whether it is given up at its end: everything is written, then rolled back."""

    action: Action
    given_up: bool = False
