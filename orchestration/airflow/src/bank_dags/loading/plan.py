"""The load plan, without I/O: what comes next in each chain, and how much of it one transaction takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from bank_dags.loading.reasons import BrokenChain, LoadError
from bank_dags.loading.segments import Batch, Chain, Landed, Listed, Tail, Tails

Backlog = Mapping[Chain, Sequence[Listed]]
"""Landing minus ledger: the segments after each chain's tail, in order of their start."""
Halted = Mapping[Chain, LoadError]
"""The chains that can't go on, each with the reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one transaction takes at most. One segment is always taken, however large it is."""

    max_segments: int
    max_bytes: int


class Waiting:
    """What one listing showed, and how far the run has come with it."""

    def __init__(self, tails: Tails, backlog: Backlog, *, complete: bool) -> None:
        """`complete`: the listing showed everything that had landed."""
        self._tails = dict(tails)
        self._backlog = dict(backlog)
        self.complete = complete

    @property
    def tails(self) -> Tails:
        """The ledger's tails, moved by what this run has committed."""
        return self._tails

    def rests(self, now: datetime, seconds: float) -> bool:
        """Whether something waits, and all of it landed less than so many seconds ago.

        One from the future counts as old: a clock that is off may cost a load too many, never one that is missing.
        """
        ages = [now - segment.landed_at for segments in self._backlog.values() for segment in segments]
        return bool(ages) and all(timedelta() <= age < timedelta(seconds=seconds) for age in ages)

    def choose(self, limits: Limits) -> list[Listed]:
        """The segments of the next transaction; empty when the listing is loaded."""
        return choose(self._backlog, limits)

    def committed(self, batch: Batch) -> None:
        """The batch is in the ledger."""
        for segment in batch.segments:
            self._tails[segment.chain] = Tail(segment.metadata.start, segment.metadata.end)
        taken = {segment.key for segment in batch.segments}
        for chain in {segment.chain for segment in batch.segments} & self._backlog.keys():
            self._backlog[chain] = [each for each in self._backlog[chain] if each.key not in taken]

    def halt(self, chains: Iterable[Chain]) -> None:
        """Nothing more of these chains is loaded in this run."""
        for chain in chains:
            self._backlog.pop(chain, None)


def choose(backlog: Backlog, limits: Limits) -> list[Listed]:
    """The segments of the next transaction: from every chain in turn, each chain from its front.

    Chains advance together, so that a long backlog of one table does not hold the watermark of all.
    """
    chosen: list[Listed] = []
    taken = 0
    longest = max((len(waiting) for waiting in backlog.values()), default=0)
    for turn in range(longest):
        for chain in sorted(backlog):
            if turn >= len(backlog[chain]):
                continue
            segment = backlog[chain][turn]
            full = len(chosen) >= limits.max_segments or taken + segment.size > limits.max_bytes
            if chosen and full:
                return chosen
            chosen.append(segment)
            taken += segment.size
    return chosen


def arrange(segments: Iterable[Landed], tails: Tails) -> tuple[Batch, Halted]:
    """Put segments in chain order, each chain up to the first that does not start where the one before it ended.

    Gives the batch, and the chains that are broken (BrokenChain, a gap or an overlap) after what the batch has of them.
    """
    ordered = sorted(segments, key=lambda segment: (segment.chain, segment.key.start))
    whole: list[Landed] = []
    halted: dict[Chain, LoadError] = {}
    for chain, run in groupby(ordered, key=lambda segment: segment.chain):
        tail = tails.get(chain)
        expected = tail.end if tail is not None else None
        for segment in run:
            if expected is not None and segment.metadata.start != expected:
                halted[chain] = LoadError(BrokenChain(chain, expected, segment.metadata.start))
                break
            whole.append(segment)
            expected = segment.metadata.end
    return Batch(tuple(whole), dict(tails)), halted


def still_holds(batch: Batch, tails: Tails) -> bool:
    """Whether the ledger, read again under the fence, is the one that the batch was planned on."""
    return all(tails.get(chain) == batch.tails.get(chain) for chain in {segment.chain for segment in batch.segments})
