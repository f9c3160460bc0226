"""The load plan: the segments that come next in each chain, and how many one transaction takes. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from bank_common.landing.segments import TopicPartition
from bank_dags.loading.failures import BrokenChain, LoadError
from bank_dags.loading.segments import Landed, Listed, LoadBatch, Tail, Tails

Backlog = Mapping[TopicPartition, Sequence[Listed]]
"""Landing minus ledger: the segments after each chain's tail, in order of their start."""
Halted = Mapping[TopicPartition, LoadError]
"""The chains that can't go on, each with the reason."""


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """The limits of one transaction. One segment is always taken, however large it is."""

    max_segments: int
    max_bytes: int


class LoadPlan:
    """The plan of a run: the segments that one listing showed and that are not loaded yet."""

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
        """Tell whether segments wait, and all of them landed less than so many seconds ago.

        One from the future counts as old: a clock that is off may cost a load too many, never one that is missing.
        """
        ages = [now - segment.landed_at for segments in self._backlog.values() for segment in segments]
        return bool(ages) and all(timedelta() <= age < timedelta(seconds=seconds) for age in ages)

    def choose(self, limits: LoadLimits) -> list[Listed]:
        """The segments of the next transaction; empty when the listing is loaded."""
        return choose(self._backlog, limits)

    def committed(self, batch: LoadBatch) -> None:
        """Take a committed batch off the plan and move the tails."""
        for segment in batch.segments:
            self._tails[segment.chain] = Tail(segment.metadata.start, segment.metadata.end)
        taken = {segment.key for segment in batch.segments}
        for chain in {segment.chain for segment in batch.segments} & self._backlog.keys():
            self._backlog[chain] = [segment for segment in self._backlog[chain] if segment.key not in taken]

    def halt(self, chains: Iterable[TopicPartition]) -> None:
        """Drop these chains from the plan."""
        for chain in chains:
            self._backlog.pop(chain, None)


def choose(backlog: Backlog, limits: LoadLimits) -> list[Listed]:
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


def arrange(segments: Iterable[Landed], tails: Tails) -> tuple[LoadBatch, Halted]:
    """Put segments in chain order, each chain up to the first that does not start where the one before it ended.

    Gives the batch, and the chains that are broken (BrokenChain, a gap or an overlap) after what the batch has of them.
    """
    ordered = sorted(segments, key=lambda segment: (segment.chain, segment.key.start))
    whole: list[Landed] = []
    halted: dict[TopicPartition, LoadError] = {}
    for chain, run in groupby(ordered, key=lambda segment: segment.chain):
        tail = tails.get(chain)
        expected = tail.end if tail is not None else None
        for segment in run:
            if expected is not None and segment.metadata.start != expected:
                halted[chain] = LoadError(BrokenChain(chain, expected, segment.metadata.start))
                break
            whole.append(segment)
            expected = segment.metadata.end
    return LoadBatch(tuple(whole), dict(tails)), halted


def still_holds(batch: LoadBatch, tails: Tails) -> bool:
    """Tell whether the ledger, read again under the fence, is the one that the batch was planned on."""
    return all(tails.get(chain) == batch.tails.get(chain) for chain in {segment.chain for segment in batch.segments})
