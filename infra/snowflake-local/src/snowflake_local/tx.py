"""Transactions: what a session has open, and table locks that make a second writer wait as Snowflake's do.

DuckDB lets the second of two writers fail at once. Here an UPDATE, DELETE or MERGE takes its table's lock until the
end of its transaction, and another one waits for it, up to the session's LOCK_TIMEOUT.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Final, Protocol

from snowflake_local import errors

ABANDONED_SECONDS: Final = 20.0
"""A waiter may end a transaction whose session has said nothing for this long: its client is taken for dead."""


class Holder(Protocol):
    """A session as a lock sees it."""

    @property
    def idle_seconds(self) -> float:
        """Since its last statement ended; 0 while one runs."""
        ...

    def abandon(self) -> None:
        """Roll its transaction back and release its locks."""
        ...


@dataclass
class TransactionState:
    """One session's transaction. `failed` is set when a statement failed in it: only ROLLBACK ends that."""

    active: bool = False
    failed: bool = False


@dataclass
class TableLocks:
    """Who holds which table."""

    abandoned_seconds: float = ABANDONED_SECONDS
    _holders: dict[str, Holder] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def acquire(self, table: str, session: Holder, seconds: float) -> None:
        """Take a table's lock, waiting for whoever has it.

        Raises:
            snowflake.connector.errors.ProgrammingError: it was not released in time (000625).
        """
        deadline = time.monotonic() + seconds
        while True:
            with self._changed:
                holder = self._holders.get(table)
                if holder is None or holder is session:
                    self._holders[table] = session
                    return
                if holder.idle_seconds < self.abandoned_seconds:
                    if time.monotonic() >= deadline:
                        raise errors.lock_timeout(table, seconds)
                    self._changed.wait(0.1)
                    continue
            holder.abandon()

    def release(self, session: Holder) -> None:
        """Give up everything that a session holds."""
        with self._changed:
            for table in [table for table, holder in self._holders.items() if holder is session]:
                del self._holders[table]
            self._changed.notify_all()
