"""Ports: the bank's database and the clock, as the generator needs them."""

from typing import Protocol

from generator.model.actions import PlannedAction
from generator.model.outcomes import KnownState, Outcome


class BankAwayError(Exception):
    """The database can't be reached, or the connection broke.

    `outcome_unknown`: it broke while a transaction was being committed, so nobody here knows what became of it.
    """

    def __init__(self, reason: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.outcome_unknown = outcome_unknown


class BankDatabase(Protocol):
    """The bank's database, one connection, one transaction at a time."""

    def open(self) -> KnownState:
        """Connect (again) and read the whole bank: every customer and account.

        Raises:
            BankAwayError: it can't be reached now; try again later.
            PipelineError: it is reached and can't be used (login refused, tables missing); trying again is no use.
        """
        ...

    def perform(self, plan: PlannedAction, traceparent: str | None) -> Outcome:
        """Do the plan as one database transaction that also carries `traceparent`, if there is one.

        All of it is committed or nothing is. No account is ever overdrawn, whoever else works on the same database.

        Raises:
            BankAwayError: the connection is gone; `open` before the next call, and don't perform this plan again
                when its outcome is unknown.
        """
        ...

    def position(self) -> str:
        """The end of the write-ahead log now, e.g. `0/16B3748`: everything committed before lies below it.

        Raises:
            BankAwayError: the connection is gone.
        """
        ...


class Pause(Protocol):
    """Time that passes, cut short when the program should stop."""

    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait at most that long; True when the program should stop."""
        ...
