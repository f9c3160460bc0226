"""Whether data moves from one hop to the next, judged from plain values. Pure: looking is the caller's.

A hop moves while nothing waits at its entrance for longer than it may take; else it is red, with what was seen. One
clock per hop: the instants of one `Waiting` are all of the clock of the store or of the warehouse that they are from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

RUNNING: Final = "RUNNING"
"""Kafka Connect's word for a connector, or a task, that runs."""
MARGIN_SECONDS: Final = 30.0
"""How much longer than its allowed time a hop may take before it is red."""
UNKNOWN_BUILD_SECONDS: Final = 60.0
"""What a build may take before one has succeeded: the first is the longest, it makes every table."""
LONGEST_BUILD_SECONDS: Final = 900.0
"""No build is waited for any longer, however long those before it took: what one may take by default."""

CAPTURE: Final = "capture"
"""The hop from the source to Kafka."""
LOAD: Final = "load"
"""The hop from the landing to RAW."""
BUILD: Final = "build"
"""The hop from RAW to the marts."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits at a hop's entrance: how much, the oldest of it, when that came, and what the same clock says now.

    `more`: the count was cut off, there is more than that.
    """

    oldest: str
    since: datetime
    now: datetime
    count: int
    more: bool = False

    @property
    def seconds(self) -> float:
        """How long the oldest has waited."""
        return max(0.0, (self.now - self.since).total_seconds())


@dataclass(frozen=True, slots=True)
class Rates:
    """Segments a second over the last `seconds`: how many came, and how many were taken on."""

    landed: float
    loaded: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Motion:
    """One hop as it was seen. `moving` is False when it is red; the sentence says why, or what is under way."""

    hop: str
    moving: bool
    sentence: str
    waited_seconds: float | None = None
    allowed_seconds: float | None = None


def landed_not_loaded(
    waiting: Waiting | None,
    *,
    sweep_seconds: float,
    target_lag_seconds: float = 0.0,
    lost: Sequence[str] = (),
    broken: Sequence[str] = (),
    up_seconds: float | None = None,
    seen: Sequence[str] = (),
    rates: Rates | None = None,
) -> Motion:
    """The load: red when a landed segment is older than the sweep's interval, or a longer target lag, and the margin.

    `lost` are segments that the ledger ends with and the landing does not have: red at once, for no load can go on.
    `broken` are the places where a chain can't be loaded on, `seen` what else may hold the load up; both are named
    when it is red. Time in which the store was not up yet (`up_seconds` ago it came up) is nobody's fault.
    """
    allowed = max(sweep_seconds, target_lag_seconds) + MARGIN_SECONDS
    by = "sweep" if sweep_seconds >= target_lag_seconds else "target lag"
    if lost:
        return Motion(LOAD, False, _sentences(*lost, *seen), None, allowed)
    if waiting is None:
        return Motion(LOAD, True, _sentences("nothing waits", *seen), 0.0, allowed)
    if _within(waiting, allowed, up_seconds):
        return Motion(LOAD, True, _sentences(_under_way(waiting, "segment", allowed), *seen), waiting.seconds, allowed)
    said = (
        f"{waiting.oldest} landed {waiting.seconds:.0f} s ago and is not loaded; it may take {allowed:.0f} s "
        f"({by} {allowed - MARGIN_SECONDS:.0f} s + {MARGIN_SECONDS:.0f} s), {_counted(waiting, 'segment')} in all"
    )
    return Motion(LOAD, False, _sentences(said, *_pace(rates), *broken, *seen), waiting.seconds, allowed)


def loaded_not_built(
    waiting: Waiting | None,
    *,
    target_lag_seconds: float,
    build_seconds: Sequence[float],
    up_seconds: float | None = None,
    seen: Sequence[str] = (),
) -> Motion:
    """The build: red when a load is older than the target lag, one build and the margin.

    `build_seconds` are the lengths of the last builds that succeeded, from the run's queueing to its success. A load
    that came while a build was running waits for its own from that build's end: `since` is the later of the two.
    """
    build = min(median(build_seconds), LONGEST_BUILD_SECONDS) if build_seconds else UNKNOWN_BUILD_SECONDS
    allowed = target_lag_seconds + build + MARGIN_SECONDS
    if waiting is None:
        return Motion(BUILD, True, _sentences("nothing waits", *seen), 0.0, allowed)
    if _within(waiting, allowed, up_seconds):
        return Motion(BUILD, True, _sentences(_under_way(waiting, "load", allowed), *seen), waiting.seconds, allowed)
    said = (
        f"{waiting.oldest} waits for a build since {waiting.seconds:.0f} s; it may take {allowed:.0f} s (target lag "
        f"{target_lag_seconds:.0f} s + a build {build:.0f} s + {MARGIN_SECONDS:.0f} s), {_counted(waiting, 'load')}"
        " in all"
    )
    return Motion(BUILD, False, _sentences(said, *seen), waiting.seconds, allowed)


def captured(connector: str, state: str | None, tasks: Sequence[str], *, reason: str = "") -> Motion:
    """The capture: red unless the connector and at least one task run, and no task does anything else.

    `state` and `tasks` are Connect's words (RUNNING, PAUSED, FAILED, …), `state` None when it does not know the
    connector. `reason` is what a failed one says. A task that runs may still stand: its lag is not judged here.
    """
    if state is None:
        return Motion(CAPTURE, False, f"Kafka Connect does not know the connector {connector}")
    others = [task for task in tasks if task != RUNNING]
    if state == RUNNING and tasks and not others:
        return Motion(CAPTURE, True, f"the connector {connector} and its task run")
    shown = f"its task is {', '.join(others)}" if others else "it has no task" if not tasks else "its task runs"
    return Motion(CAPTURE, False, _sentences(f"the connector {connector} is {state}, {shown}", reason))


def not_judged(hop: str, *reasons: str) -> Motion:
    """A hop that could not be looked at: red, for nobody knows that it moves."""
    return Motion(hop, False, _sentences("it can't be said whether it moves", *reasons))


def _within(waiting: Waiting, allowed: float, up_seconds: float | None) -> bool:
    waited = waiting.seconds if up_seconds is None else min(waiting.seconds, up_seconds)
    return waited <= allowed


def _under_way(waiting: Waiting, what: str, allowed: float) -> str:
    verb = "waits" if waiting.count == 1 and not waiting.more else "wait"
    return f"{_counted(waiting, what)} {verb}, the oldest for {waiting.seconds:.0f} s of {allowed:.0f} s"


def _counted(waiting: Waiting, what: str) -> str:
    many = waiting.count != 1 or waiting.more
    return f"{'more than ' if waiting.more else ''}{waiting.count:,} {what}{'s' if many else ''}"


def _pace(rates: Rates | None) -> Sequence[str]:
    if rates is None:
        return ()
    window = f"in the last {rates.seconds:.0f} s"
    if not rates.loaded:
        return (f"nothing of these chains was loaded {window}",)
    trend = "grows" if rates.landed > rates.loaded else "shrinks" if rates.landed < rates.loaded else "stays"
    return (f"the backlog {trend}: {rates.landed:.1f} segments a second landed and {rates.loaded:.1f} loaded {window}",)


def _sentences(*parts: str) -> str:
    return ". ".join(part.strip().rstrip(".") for part in parts if part.strip())
