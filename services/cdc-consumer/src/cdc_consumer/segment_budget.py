"""How many segments a second the consumer may make: a token bucket. Pure: time comes in as an argument, in seconds.

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
        """Segments that a rest saves up at most: what the longest window allows."""
        return self.per_second * self.longest_seconds


class SegmentBudget:
    """What may be spent now."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._credit = budget.burst
        self._at = -math.inf

    def spend(self, segments: int, now: float) -> None:
        """Segments were made, whether they were allowed or not; nothing is owed below zero."""
        self._credit = max(0.0, self._credit_at(now) - segments)
        self._at = max(self._at, now)

    def flush_at(self, oldest: float, window: float, segments: int, now: float) -> float:
        """When a flush of so many segments is due, the oldest of whose records came at `oldest`.

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
