import threading
import time
from dataclasses import dataclass, field

import pytest
from snowflake.connector.errors import ProgrammingError

from snowflake_local.sessions.locks import TableLocks


@dataclass(eq=False)
class RestingSession:
    idle_seconds: float = 0.0
    locks: TableLocks | None = None
    cancelled: bool = False
    abandoned: list[bool] = field(default_factory=list)

    def abandon(self, after_seconds: float) -> None:
        self.abandoned.append(True)
        assert self.locks is not None
        self.locks.release(self)


def test_a_session_may_take_its_own_lock_again() -> None:
    locks, session = TableLocks(), RestingSession()
    locks.acquire("T", session, 0)
    locks.acquire("T", session, 0)


def test_another_session_is_refused_after_its_timeout() -> None:
    locks = TableLocks()
    locks.acquire("T", RestingSession(), 0)
    with pytest.raises(ProgrammingError) as caught:
        locks.acquire("T", RestingSession(), 0)
    assert caught.value.errno == 625


def test_released_locks_are_free() -> None:
    locks, first = TableLocks(), RestingSession()
    locks.acquire("T", first, 0)
    locks.release(first)
    locks.acquire("T", RestingSession(), 0)


def test_a_session_that_said_nothing_for_long_is_abandoned_and_one_at_work_is_not() -> None:
    locks = TableLocks(abandoned_seconds=5)
    dead = RestingSession(idle_seconds=6, locks=locks)
    locks.acquire("T", dead, 0)
    locks.acquire("T", RestingSession(), 0)
    assert dead.abandoned


def test_a_cancelled_statement_stops_waiting() -> None:
    locks = TableLocks()
    locks.acquire("T", RestingSession(), 0)
    with pytest.raises(ProgrammingError) as caught:
        locks.acquire("T", RestingSession(cancelled=True), 60)
    assert caught.value.errno == 604


def test_two_that_wait_for_each_other_are_told_at_once() -> None:
    locks, one, other = TableLocks(), RestingSession(), RestingSession()
    locks.acquire("A", one, 0)
    locks.acquire("B", other, 0)
    waiting = threading.Thread(target=locks.acquire, args=("B", one, 60))
    waiting.start()
    with pytest.raises(ProgrammingError, match="Deadlock"):
        _until_refused(locks, other)
    locks.release(other)
    waiting.join(10)
    assert not waiting.is_alive()


def _until_refused(locks: TableLocks, session: RestingSession) -> None:
    """The first thread may not wait yet: then this one is timed out, and tries again."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            locks.acquire("A", session, 0)
        except ProgrammingError as error:
            if "Deadlock" in str(error):
                raise
    raise AssertionError("no deadlock was seen")
