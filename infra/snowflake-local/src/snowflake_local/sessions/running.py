"""A session's running statement: how long it may run, and what ends it before its own end."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Generator
from typing import Final

from snowflake.connector import errors as sf

from snowflake_local import errors

_LOOK_AGAIN_SECONDS: Final = 1.0
_STOP_AGAIN_SECONDS: Final = 0.05
"""DuckDB forgets an interrupt that comes between two of a statement's steps: it is repeated until it ends."""


class Running:
    """The statement that runs: one at a time; a statement inside another one counts as the same.

    Args:
        interrupt: stops what DuckDB does for the session, if it does something; never waits.
    """

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self.lock = threading.RLock()
        self._interrupt = interrupt
        self._changed = threading.Condition()
        self._depth = 0
        self._timeout_seconds, self._deadline = math.inf, math.inf
        self._reason: sf.ProgrammingError | None = None
        self._last_seen = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Since the last statement ended; 0 while one runs."""
        return 0.0 if self._depth else time.monotonic() - self._last_seen

    @property
    def stopped(self) -> bool:
        """The statement has to end: it was cancelled, or its time is over."""
        if self._depth and self._reason is None and time.monotonic() >= self._deadline:
            self.stop(errors.statement_timeout(self._timeout_seconds))
        return self._reason is not None

    @contextlib.contextmanager
    def statement(self, timeout_seconds: float) -> Generator[None, None, None]:
        """Marks a statement as running, for at most so long."""
        with self.lock:
            with self._changed:
                if not self._depth:
                    self._reason = None
                    self._timeout_seconds, self._deadline = timeout_seconds, time.monotonic() + timeout_seconds
                self._depth += 1
            try:
                yield
            finally:
                with self._changed:
                    self._depth -= 1
                    self._last_seen = time.monotonic()

    def stop(self, reason: sf.ProgrammingError) -> bool:
        """Have the statement end with `reason`; says whether one runs. A second reason changes nothing."""
        with self._changed:
            if not self._depth:
                return False
            self._reason = self._reason or reason
            self._interrupt()
            self._changed.notify_all()
            return True

    def watch(self) -> float:
        """Stop the statement if it has to end, again if it was told before; gives the seconds until the next look."""
        if self.stopped:
            with self._changed:
                if self._depth and self._reason is not None:
                    self._interrupt()
            return _STOP_AGAIN_SECONDS
        return min(_LOOK_AGAIN_SECONDS, max(self._deadline - time.monotonic(), _STOP_AGAIN_SECONDS))

    def why(self, error: sf.Error) -> sf.Error:
        """The error of a statement that was stopped, with the reason for it; any other error as it is."""
        stopped = self._reason is not None and error.errno == errors.CANCELLED
        return self._reason if stopped and self._reason is not None else error

    def go_on(self) -> None:
        """Between two steps of a statement.

        Raises:
            snowflake.connector.errors.ProgrammingError: it has to end.
        """
        if self.stopped and self._reason is not None:
            raise self._reason

    def wait(self, seconds: float) -> None:
        """SYSTEM$WAIT: let time pass.

        Raises:
            snowflake.connector.errors.ProgrammingError: the statement has to end.
        """
        until = time.monotonic() + seconds
        with self._changed:
            while not self.stopped and (left := min(until, self._deadline) - time.monotonic()) > 0:
                self._changed.wait(left)
        self.go_on()
