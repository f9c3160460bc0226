"""Locks: table locks that make a second writer wait as Snowflake's do, and the state of a session's transaction.

DuckDB lets the second of two writers fail at once. Here an UPDATE, DELETE, MERGE or TRUNCATE takes its table's lock
until the end of its transaction, and another one waits for it, up to its session's LOCK_TIMEOUT.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Final, Protocol

from snowflake_local import errors

ABANDONED_SECONDS: Final = 20.0
"""A waiter may end a transaction whose session has said nothing for this long: its client is taken for dead."""
_LOOK_AGAIN_SECONDS: Final = 0.1


class Holder(Protocol):
    """A session as a lock sees it."""

    @property
    def idle_seconds(self) -> float:
        """Since its last statement ended; 0 while one runs."""
        ...

    @property
    def cancelled(self) -> bool:
        """True when its statement, and any wait, has to end."""
        ...

    def abandon(self, after_seconds: float) -> None:
        """Roll its transaction back and release its locks, if it still is idle for that long; never waits."""
        ...


@dataclass
class TransactionState:
    """A session's transaction as its client knows it.

    `active` from BEGIN to COMMIT or ROLLBACK; `implicit` when a change has opened it, as autocommit is off; `failed`
    when the server has rolled it back since: only ROLLBACK (or a COMMIT that is refused) ends that, so that no later
    statement of it can run outside of it; `wrote` after its first statement that may have changed something.
    """

    active: bool = False
    implicit: bool = False
    failed: bool = False
    wrote: bool = False


@dataclass
class TableLocks:
    """The holder of each table's lock, and the sessions that wait."""

    abandoned_seconds: float = ABANDONED_SECONDS
    _holders: dict[str, Holder] = field(default_factory=dict[str, Holder])
    _waits: dict[int, str] = field(default_factory=dict[int, str])
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def acquire(self, table: str, session: Holder, seconds: float) -> None:
        """Take a table's lock, waiting for whoever has it.

        Raises:
            snowflake.connector.errors.ProgrammingError: it was not released in time, its holder waits for this
                session (a deadlock), or the statement was cancelled.
        """
        deadline = time.monotonic() + seconds
        try:
            while not self._try(table, session, seconds, deadline):
                pass
        finally:
            with self._changed:
                self._waits.pop(id(session), None)

    def _try(self, table: str, session: Holder, seconds: float, deadline: float) -> bool:
        with self._changed:
            holder = self._holders.setdefault(table, session)
            if holder is session:
                return True
            if session.cancelled:
                raise errors.cancelled()
            self._waits[id(session)] = table
            if self._waits_for(holder, session):
                raise errors.deadlock(table)
            if holder.idle_seconds < self.abandoned_seconds:
                if time.monotonic() >= deadline:
                    raise errors.lock_timeout(table, seconds)
                self._changed.wait(_LOOK_AGAIN_SECONDS)
                return False
        holder.abandon(self.abandoned_seconds)
        return False

    def _waits_for(self, holder: Holder, session: Holder) -> bool:
        seen: set[int] = set()
        while id(holder) not in seen and (table := self._waits.get(id(holder))) is not None:
            seen.add(id(holder))
            waited_for = self._holders.get(table)
            if waited_for is None:
                return False
            if waited_for is session:
                return True
            holder = waited_for
        return False

    def release(self, session: Holder) -> None:
        """Give up everything that a session holds."""
        with self._changed:
            for table in [table for table, holder in self._holders.items() if holder is session]:
                del self._holders[table]
            self._changed.notify_all()

    def wake(self) -> None:
        """Have every waiter look again at once, for a statement that was cancelled."""
        with self._changed:
            self._changed.notify_all()
