"""How many undecodable records are isolated cases, and when they mean that something is broken. Pure.

A bad deploy of a producer must not drain a topic into the dead letters: beyond a share of the latest records, or in
too long a run, they halt the line instead.
"""

from collections import deque
from collections.abc import Collection
from typing import NamedTuple


class RejectionLimits(NamedTuple):
    """At most `max_ratio` of the latest `window` records of a chain, and at most `max_run` in a row."""

    max_ratio: float
    max_run: int
    window: int


class Excess(NamedTuple):
    """A limit was passed: `rejected` records, in a row or of the latest `of`."""

    rejected: int
    of: int | None


class Tally:
    """The latest records of one chain, batch by batch. It forgets when the chain changes hands."""

    def __init__(self, limits: RejectionLimits) -> None:
        self._limits = limits
        self._latest: deque[bool] = deque(maxlen=limits.window)
        self._run = 0

    def add(self, count: int, rejected: Collection[int]) -> Excess | None:
        """Take a batch of `count` records with the places of the rejected ones, if that stays within the limits.

        A batch that passes them is not taken, and the next one is judged without it.
        """
        places, run, longest = set(rejected), self._run, 0
        for place in range(count) if places else ():
            run = run + 1 if place in places else 0
            longest = max(longest, run)
        if longest > self._limits.max_run:
            return Excess(longest, None)
        latest = self._latest.copy()
        latest.extend(place in places for place in range(max(0, count - self._limits.window), count))
        # Of a window that is not full yet, the missing records count as good ones.
        bad = sum(latest)
        if bad > self._limits.max_ratio * self._limits.window:
            return Excess(bad, self._limits.window)
        self._latest, self._run = latest, run if places else 0 if count else self._run
        return None
