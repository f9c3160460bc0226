"""The dead-letter limit: up to it undecodable records go to the dead-letter topic, beyond it the consumer halts. Pure.

A bad deploy of a producer must not drain a topic into the dead letters. The limit is a share of the latest records of
a partition, and a number of records in a row.
"""

from collections import deque
from collections.abc import Collection
from typing import NamedTuple


class DeadLetterLimits(NamedTuple):
    """At most `max_ratio` of the latest `window` records of a partition, and at most `max_run` in a row."""

    max_ratio: float
    max_run: int
    window: int


class LimitExceeded(NamedTuple):
    """A limit is exceeded: `rejected` records in a row (`of` is None), or of the latest `of` records."""

    rejected: int
    of: int | None


class DeadLetterLimit:
    """Counts the undecodable ones of the latest records of one partition, for as long as it is assigned."""

    def __init__(self, limits: DeadLetterLimits) -> None:
        self._limits = limits
        self._latest: deque[bool] = deque(maxlen=limits.window)
        self._run = 0

    def add(self, count: int, rejected: Collection[int]) -> LimitExceeded | None:
        """Count a batch of `count` records with the indexes of the rejected ones, if that stays within the limits.

        A batch that exceeds them is not counted, and the next one is judged without it.
        """
        rejected_indexes, run, longest = set(rejected), self._run, 0
        for index in range(count) if rejected_indexes else ():
            run = run + 1 if index in rejected_indexes else 0
            longest = max(longest, run)
        if longest > self._limits.max_run:
            return LimitExceeded(longest, None)
        latest = self._latest.copy()
        latest.extend(index in rejected_indexes for index in range(max(0, count - self._limits.window), count))
        # Of a window that is not full yet, the missing records count as good ones.
        bad = sum(latest)
        if bad > self._limits.max_ratio * self._limits.window:
            return LimitExceeded(bad, self._limits.window)
        self._latest, self._run = latest, run if rejected_indexes else 0 if count else self._run
        return None
