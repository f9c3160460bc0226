"""The cycle: one load and the build that follows it, as Airflow's runs show them. No I/O; every time is Airflow's."""

from dataclasses import dataclass
from enum import Enum
from statistics import median

MEDIAN_OF = 3
"""Cycles whose median says how long the next one takes: one slow cycle moves nothing."""


@dataclass(frozen=True, slots=True)
class DagRun:
    """A DAG run: its state, and when it was queued, started and ended, in seconds by Airflow's clock.

    `sweep`: the schedule made it, so it takes only what is older than the target lag, as a rule nothing.
    """

    run_id: str
    state: str
    queued: float
    started: float | None = None
    ended: float | None = None
    sweep: bool = False

    @property
    def active(self) -> bool:
        """Queued or running."""
        return self.state in ("queued", "running")

    @property
    def succeeded(self) -> bool:
        """Ended, and well."""
        return self.state == "success" and self.ended is not None


@dataclass(frozen=True, slots=True)
class DagRuns:
    """The latest runs of load and build, newest first, and Airflow's clock when it told of them."""

    now: float
    loads: tuple[DagRun, ...]
    builds: tuple[DagRun, ...]


class Stage(Enum):
    """The stage of a cycle."""

    LOADING = "loading"
    HANDOVER = "handover"
    """The load has ended; Airflow has not made the build's run yet."""
    BUILDING = "building"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds from queueing to success: of a load, of the build that followed it, and of both with what lay between."""

    load: float
    build: float
    cycle: float


def stage(runs: DagRuns, handover_seconds: float) -> Stage:
    """Find the stage of the latest cycle, whoever started it.

    A load that asks for no build looks like one whose build is still to come: it is over `handover_seconds` later. A
    sweep holds up the next load while it runs, and no longer.
    """
    if any(run.active for run in runs.loads):
        return Stage.LOADING
    if any(run.active for run in runs.builds):
        return Stage.BUILDING
    load = next((run for run in runs.loads if not run.sweep), None)
    if load is None or not load.succeeded or load.started is None:
        return Stage.OVER
    if any(build.queued >= load.started for build in runs.builds):
        return Stage.OVER
    # Airflow makes a build's run only when the one before has ended: what a build holds up begins with its end.
    since = max(run.ended for run in (load, *runs.builds) if run.ended is not None)
    return Stage.HANDOVER if runs.now - since < handover_seconds else Stage.OVER


def durations(runs: DagRuns) -> tuple[Durations, ...]:
    """The durations of the latest successful cycles, newest first, `MEDIAN_OF` at most.

    A build after a sweep tells nothing: whether that load or the one before asked for it can't be seen.
    """
    cycles: list[Durations] = []
    for build in runs.builds:
        load = next((it for it in runs.loads if it.started is not None and it.started <= build.queued), None)
        if load is None or load.sweep or load.ended is None or not load.succeeded:
            continue
        if build.ended is None or not build.succeeded:
            continue
        cycles.append(Durations(load.ended - load.queued, build.ended - build.queued, build.ended - load.queued))
    return tuple(cycles[:MEDIAN_OF])


def cycle_seconds(latest: tuple[Durations, ...]) -> float | None:
    """Predict the seconds of the next cycle from the latest ones; None when there were none."""
    return median(it.cycle for it in latest) if latest else None
