"""Runs a phase: traffic and a reader beside the stack for some minutes, then waits until all of it is in the mart."""

import os
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from bankctl.devstack.components.native import COMPONENTS
from bankctl.devstack.supervision.processes import running
from benchmarks.steady.cpu import Used, look, machine_busy
from benchmarks.steady.figures import Lag, Phase, Runs
from harness.native_driver import NativeDriver
from harness.sight import FirstSight
from harness.traffic import SteadyTraffic

SAY_SECONDS = 10.0
ARRIVES_SECONDS = 300.0
HOTTEST = 12
LEDGER = """
select count(*), coalesce(sum(ROW_COUNT), 0) from BANK.RAW.LOAD_LEDGER
where LOADED_AT >= %s::timestamp_tz and LOADED_AT < %s::timestamp_tz
"""


@dataclass(frozen=True, slots=True)
class Instant:
    """The counters at an instant."""

    monotonic: float
    wall: datetime
    used: dict[str, Used]
    machine: float
    own: float

    @classmethod
    def now(cls, stack: NativeDriver) -> "Instant":
        """Read the counters."""
        leaders = {}
        for name in COMPONENTS:
            if (process := running(stack.stack.run_file(name))) is not None:
                leaders[name] = process.pid
        return cls(time.monotonic(), datetime.now(UTC), look(leaders), machine_busy(), time.process_time())


def percent(seconds: float, start: Instant, end: Instant) -> float:
    """CPU seconds between two instants, as a share of all processors."""
    return 100 * seconds / (end.monotonic - start.monotonic) / (os.cpu_count() or 1)


def component_seconds(start: Instant, end: Instant) -> dict[str, float]:
    """CPU seconds of each component between two instants, the hottest first."""
    seconds = {name: used.total - start.used[name].total for name, used in end.used.items() if name in start.used}
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def hot(start: Instant, end: Instant) -> dict[str, float]:
    """CPU seconds by process title, and of each component's ended children; the hottest first."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for name, used in end.used.items():
        before = start.used.get(name, Used({}, 0.0))
        seconds[f"{name}: ended children"] += used.ended - before.ended
        for title, own in used.living.items():
            seconds[f"{name}: {title}"] += own - before.living.get(title, 0.0)
    hottest = sorted(seconds.items(), key=lambda item: -item[1])[:HOTTEST]
    return {title: round(own, 1) for title, own in hottest}


def traffic_phase(
    stack: NativeDriver, rate: float, seconds: float, *, every: float, say: Callable[[str], None]
) -> Phase:
    """Run some seconds of steady traffic."""
    start = Instant.now(stack)
    with ExitStack() as context:
        traffic = context.enter_context(SteadyTraffic(stack, rate))
        sight = context.enter_context(FirstSight(stack, traffic.commits, every=every))
        _wait(stack, start, seconds, lambda: _said(traffic, sight), say)
        traffic.stop()
        end, commits = Instant.now(stack), len(traffic.commits)
        deadline = time.monotonic() + ARRIVES_SECONDS
        while not sight.all_seen() and time.monotonic() < deadline:
            time.sleep(every)
        _settle(stack, deadline)
        raw, mart = Lag(tuple(sight.lags(sight.raw))), Lag(tuple(sight.lags(sight.mart)))
        unseen = commits - len(sight.mart)
    return _phase(stack, f"{rate:g}/s", rate, start, end, commits, traffic.late_seconds(), unseen, raw, mart)


def rest_phase(stack: NativeDriver, seconds: float, *, say: Callable[[str], None]) -> Phase:
    """Run some seconds without traffic and without a reader."""
    start = Instant.now(stack)
    _wait(stack, start, seconds, lambda: "at rest", say)
    return _phase(stack, "at rest", 0.0, start, Instant.now(stack), 0, 0.0, 0, Lag(()), Lag(()))


def _said(traffic: SteadyTraffic, sight: FirstSight) -> str:
    raw, mart = sight.oldest_unseen(sight.raw), sight.oldest_unseen(sight.mart)
    return f"{len(traffic.commits)} committed, oldest not in RAW {raw:.1f} s, not in the mart {mart:.1f} s"


def _wait(
    stack: NativeDriver, start: Instant, seconds: float, said: Callable[[], str], say: Callable[[str], None]
) -> None:
    last = start
    while (left := start.monotonic + seconds - time.monotonic()) > 0:
        time.sleep(min(SAY_SECONDS, left))
        now = Instant.now(stack)
        parts = component_seconds(last, now)
        busiest = ", ".join(f"{name} {percent(own, last, now):.0f}" for name, own in list(parts.items())[:4])
        whole = percent(sum(parts.values()), last, now)
        say(f"{now.monotonic - start.monotonic:4.0f} s: {said()}; CPU {whole:.0f} % ({busiest})")
        last = now


def _settle(stack: NativeDriver, deadline: float) -> None:
    while stack.active_builds() and time.monotonic() < deadline:
        time.sleep(1)


def _phase(
    stack: NativeDriver,
    name: str,
    rate: float,
    start: Instant,
    end: Instant,
    commits: int,
    late: float,
    unseen: int,
    raw: Lag,
    mart: Lag,
) -> Phase:
    since, until = start.wall.isoformat(), end.wall.isoformat()
    within = {"run_after_gte": since, "run_after_lte": until}
    segments, rows = stack.rows(LEDGER, since, until)[0]
    return Phase(
        name=name,
        rate=rate,
        seconds=end.monotonic - start.monotonic,
        commits=commits,
        late_seconds=late,
        unseen=unseen,
        raw=raw,
        mart=mart,
        loads=Runs.of(stack.dag_runs("load_raw", **within)),
        builds=Runs.of(stack.dag_runs("build_marts", **within)),
        segments=int(segments),
        rows=int(rows),
        cpu_percent={name: percent(own, start, end) for name, own in component_seconds(start, end).items()},
        machine_percent=percent(end.machine - start.machine, start, end),
        reader_percent=percent(end.own - start.own, start, end),
        hot=hot(start, end),
    )
