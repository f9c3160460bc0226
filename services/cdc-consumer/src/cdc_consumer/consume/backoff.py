"""Exponential backoff without sleeping: when to try again after a failure. Pure; times are seconds."""


class Backoff:
    """Waits after each failure, twice as long each time up to a limit; a success ends it."""

    def __init__(self, first_seconds: float = 0.1, max_seconds: float = 5.0) -> None:
        self._first = first_seconds
        self._max = max_seconds
        self._failures = 0
        self._until = 0.0

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    @property
    def failures(self) -> int:
        """How many attempts failed in a row."""
        return self._failures

    def may_try(self, now: float) -> bool:
        """Whether it is time for an attempt."""
        return not self._failures or now >= self._until

    def failed(self, now: float) -> None:
        """Note that an attempt failed."""
        self._until = now + min(self._max, self._first * 2 ** min(self._failures, 30))
        self._failures += 1

    def succeeded(self) -> None:
        """Note that an attempt succeeded."""
        self._failures = 0
