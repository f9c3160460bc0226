"""Totals of a run, counted as it goes, and its summary."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from bank_common import names
from generator.model.outcomes import Committed, Money, Operation, Outcome, RolledBack

OPERATIONS: Final[tuple[Operation, ...]] = ("insert", "update", "delete")


@dataclass(slots=True)
class RunTotals:
    """Counts of one run. A transaction is committed, rolled back (given up or stale) or unknown."""

    committed: Counter[str] = field(default_factory=Counter[str])
    rolled_back: Counter[str] = field(default_factory=Counter[str])
    unknown: int = 0
    reconnects: int = 0
    changes: Counter[tuple[str, Operation]] = field(default_factory=Counter[tuple[str, Operation]])
    money: Money = field(default_factory=Money)
    first_position: str | None = None
    last_position: str | None = None

    def count(self, kind: str, outcome: Outcome) -> None:
        """Count a transaction whose outcome is known."""
        match outcome:
            case Committed(changes=changes, money=money):
                self.committed[kind] += 1
                self.changes.update(changes)
                self.money = self.money + money
            case RolledBack(reason=reason):
                self.rolled_back[reason] += 1

    @property
    def transactions(self) -> int:
        """All of them, whatever became of them."""
        return self.committed.total() + self.rolled_back.total() + self.unknown

    def summary(self, seed: int, seconds: float) -> dict[str, Any]:
        """The summary for JSON: amounts are strings with two decimals, `lsn.last` is at or above the last commit."""
        return {
            "seed": seed,
            "duration_seconds": round(seconds, 3),
            "transactions_per_second": round(self.transactions / seconds, 1) if seconds else None,
            "transactions": {
                "committed": self.committed.total(),
                "rolled_back": self.rolled_back.total(),
                "given_up": self.rolled_back["given_up"],
                "stale": self.rolled_back["stale"],
                "unknown": self.unknown,
            },
            "kinds": dict(sorted(self.committed.items())),
            "changes": {
                table.name: {operation: self.changes[table.name, operation] for operation in OPERATIONS}
                for table in names.TABLES
            },
            "money": {
                "paid_in": f"{self.money.paid_in:.2f}",
                "paid_out": f"{self.money.paid_out:.2f}",
                "transferred": f"{self.money.transferred:.2f}",
            },
            "lsn": {"first": self.first_position, "last": self.last_position},
            "reconnects": self.reconnects,
        }
