"""Convergence: follows the changes through the pipeline until the marts equal the source."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bankctl.operate.demo.pipeline_stages import Counts
from bankctl.verify.comparison import Difference

PAUSE_SECONDS: Final = 1.0
STALL_SECONDS: Final = 180.0
_RECHECK_SECONDS: Final = 15.0


class Sampler(Protocol):
    """Counts changes at each stage."""

    def sample(self) -> Counts: ...


class Generator(Protocol):
    """A generator at work."""

    def summary(self) -> dict[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run. `stalled`: nothing moved any more and the two sides still differed."""

    differences: Sequence[Difference]
    summary: dict[str, Any]
    generate_seconds: float
    converge_seconds: float
    stalled: bool


class Convergence:
    """A watched run: `check` raises when a component died, `verify` compares both sides, `show` displays."""

    def __init__(
        self,
        stages: Sampler,
        generator: Generator,
        *,
        check: Callable[[], None],
        verify: Callable[[], Sequence[Difference]],
        show: Callable[[int | None, Counts], None],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._stages, self._generator = stages, generator
        self._check, self._verify, self._show = check, verify, show
        self._clock, self._pause = clock, pause
        self._stall_seconds = stall_seconds

    def follow(self) -> Outcome:
        """Watch until both sides are equal, or nothing has moved for `stall_seconds` after the last change.

        Both sides are compared when every stage has seen the same, and now and then in between: the counts are a
        view, the comparison decides.
        """
        start = self._clock()
        summary = self._generate()
        generated = moved = verified = self._clock()
        previous: Counts | None = None
        while True:
            self._check()
            counts = self._stages.sample()
            self._show(committed(summary), counts)
            now = self._clock()
            settled = counts.level and counts != previous
            if counts != previous:
                previous, moved = counts, now
            stalled = now - moved >= self._stall_seconds
            if settled or stalled or now - verified >= _RECHECK_SECONDS:
                differences = self._verify()
                verified = self._clock()
                equal = all(difference.equal for difference in differences)
                if equal or stalled:
                    return Outcome(differences, summary, generated - start, verified - generated, not equal)
            self._pause(PAUSE_SECONDS)

    def _generate(self) -> dict[str, Any]:
        while True:
            # Before the generator: what it stumbled over is the cause, and has a log.
            self._check()
            if (summary := self._generator.summary()) is not None:
                return summary
            self._show(None, self._stages.sample())
            self._pause(PAUSE_SECONDS)


def committed(summary: dict[str, Any]) -> int:
    """The row changes that the generator committed, all tables and operations together."""
    return sum(count for operations in summary["changes"].values() for count in operations.values())
