"""The budget of segments per second, a token bucket. Pure; times are seconds.

Each segment costs a request here and one in the load, whatever its size. Under steady traffic over many partitions the
budget makes flushes rarer and segments larger; after a rest it is full, so a lone change is stored at once.
"""

import math
from typing import NamedTuple


class Budget(NamedTuple):
    """`per_second` segments over all partitions in the long run, where windows of `longest_seconds` allow it."""

    per_second: float = math.inf
    longest_seconds: float = 2.0

    @property
    def burst(self) -> float:
        """The size of the bucket: as many segments as the longest window allows."""
        return self.per_second * self.longest_seconds


class SegmentBudget:
    """The token bucket of segments."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._credit = budget.burst
        self._at = -math.inf

    def spend(self, segments: int, now: float) -> None:
        """Take tokens for segments that were made, also beyond the budget: the bucket never goes below zero."""
        self._credit = max(0.0, self._credit_at(now) - segments)
        self._at = max(self._at, now)

    def flush_at(self, oldest: float, window: float, segments: int, now: float) -> float:
        """Return when a flush of so many segments is due; `oldest` is when the oldest of its records came.

        Never before that record has waited for `window`; later than that only until it has waited for
        `longest_seconds`.
        """
        wished = oldest + window
        needed = min(float(segments), self._budget.burst)
        missing = needed - self._credit_at(now)
        affordable = now + missing / self._budget.per_second if missing > 0 else -math.inf
        return max(wished, min(affordable, oldest + self._budget.longest_seconds))

    def _credit_at(self, now: float) -> float:
        if math.isinf(self._budget.per_second) or math.isinf(self._at):
            return self._budget.burst
        return min(self._budget.burst, self._credit + max(0.0, now - self._at) * self._budget.per_second)
