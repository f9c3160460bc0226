"""The load plan, without I/O: what comes next in each chain, and how much of it one transaction takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bank_dags.loading.reasons import BrokenChain, LoadError
from bank_dags.loading.segments import Batch, Chain, Landed, Listed, Tails

Backlog = Mapping[Chain, Sequence[Listed]]
"""Landing minus ledger: the segments after each chain's tail, in order of their start."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one transaction takes at most. One segment is always taken, however large it is."""

    max_segments: int
    max_bytes: int


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


def arrange(segments: Iterable[Landed], tails: Tails) -> Batch:
    """Put the chosen segments in chain order and check that each chain goes on where the ledger ended.

    Raises:
        LoadError: BrokenChain, naming the first gap or overlap.
    """
    ordered = sorted(segments, key=lambda segment: (segment.chain, segment.key.start))
    for chain, run in groupby(ordered, key=lambda segment: segment.chain):
        tail = tails.get(chain)
        expected = tail.end if tail is not None else None
        for segment in run:
            if expected is not None and segment.metadata.start != expected:
                raise LoadError(BrokenChain(chain, expected, segment.metadata.start))
            expected = segment.metadata.end
    return Batch(tuple(ordered), dict(tails))


def still_holds(batch: Batch, tails: Tails) -> bool:
    """Whether the ledger, read again under the fence, is the one that the batch was planned on."""
    return all(tails.get(chain) == batch.tails.get(chain) for chain in {segment.chain for segment in batch.segments})
