"""Liveness and back-off: decides when a silent component is replaced and a dead one is started again. Pure.

As Kubernetes' startup and liveness probes and its back-off: a process that is alive and does not answer counts as
dead after so many failed probes in a row. Probes are counted, not only time: a supervisor that was suspended itself
has not seen anything meanwhile.
"""

from dataclasses import dataclass
from typing import Final

FAILURES: Final = 4
"""So many probes in a row fail, besides the bound in seconds, before a process is replaced."""
GAP_SECONDS: Final = 20.0
"""Probes further apart than this say nothing of the time between them: whoever probes has stood itself."""
LONGEST_PAUSE_SECONDS: Final = 60.0
STEADY_SECONDS: Final = 120.0
"""A component that answered for so long is well again: its next death is its first."""


@dataclass(slots=True)
class Liveness:
    """The probes of a process, from `started` on. `ready_seconds` is what it may take until its first good answer,
    `hung_seconds` how long it may not answer after that."""

    ready_seconds: float
    hung_seconds: float
    started: float
    _answered: float | None = None
    _first_failure: float | None = None
    _last_failure: float = 0.0
    _failures: int = 0

    @property
    def answers(self) -> bool:
        """True when its last probe was answered well."""
        return self._answered is not None and not self._failures

    @property
    def starting(self) -> bool:
        """True when it has never answered yet."""
        return self._answered is None

    def steady(self, now: float) -> bool:
        """Tell whether it has answered for a while, without a break."""
        return self._answered is not None and not self._failures and now - self._answered >= STEADY_SECONDS

    def answered(self, now: float) -> None:
        """Note a probe that was answered well."""
        if self._answered is None or self._failures:
            self._answered = now
        self.excuse()

    def failed(self, now: float) -> None:
        """Note a probe that was not answered, or with a reason."""
        if now - self._last_failure > GAP_SECONDS:
            self.excuse()
        self._failures += 1
        self._last_failure = now
        if self._first_failure is None:
            self._first_failure = now

    def excuse(self) -> None:
        """Forget the failures: they say nothing about this process."""
        self._failures, self._first_failure = 0, None

    def hung(self, now: float) -> bool:
        """Tell whether it is to be replaced."""
        if self._failures < FAILURES or self._first_failure is None:
            return False
        if self.starting and now - self.started < self.ready_seconds:
            return False
        return now - self._first_failure >= self.hung_seconds


@dataclass(slots=True)
class Backoff:
    """The pause before each restart: none, then 1, 2, 4, … and at most 60 seconds: a crash loop costs little. It never
    gives up: what it waits for may come back in the night."""

    _starts: int = 0
    _next: float = 0.0

    @property
    def starts(self) -> int:
        """Starts since it was last well."""
        return self._starts

    def due(self, now: float) -> bool:
        """Tell whether it may be started again."""
        return not self._starts or now >= self._next

    def started(self, now: float) -> None:
        """Note a start, or an attempt that failed."""
        self._next = now + min(2.0 ** min(self._starts, 10), LONGEST_PAUSE_SECONDS)
        self._starts += 1

    def well(self) -> None:
        """Note that it has answered for a while: the next pause is the first again."""
        self._starts = 0
