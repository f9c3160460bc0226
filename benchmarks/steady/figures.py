"""Figures of a phase, and verdicts on the promises."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that `share` of them do not exceed; NaN of none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from the client's commit to a reader's first sight, of the phase's commits in their order."""

    seconds: tuple[float, ...]

    def document(self) -> dict[str, float]:
        """p50, p99 and the most, of all and of each half."""
        half = len(self.seconds) // 2
        first, second = self.seconds[:half], self.seconds[half:]
        return {
            "p50": quantile(self.seconds, 0.5),
            "p99": quantile(self.seconds, 0.99),
            "max": max(self.seconds, default=math.nan),
            "first_half_p99": quantile(first, 0.99),
            "second_half_p99": quantile(second, 0.99),
        }


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one DAG: from queueing to success, and from start to success."""

    states: dict[str, int]
    seconds: tuple[float, ...]
    running: tuple[float, ...]

    @classmethod
    def of(cls, runs: Sequence[dict[str, Any]]) -> "Runs":
        """Summarise runs as Airflow's REST API gives them."""
        states: dict[str, int] = {}
        whole, running = [], []
        for run in runs:
            states[run["state"]] = states.get(run["state"], 0) + 1
            if run["state"] == "success":
                moments = (datetime.fromisoformat(run[name]) for name in ("queued_at", "start_date", "end_date"))
                queued, start, end = moments
                whole.append((end - queued).total_seconds())
                running.append((end - start).total_seconds())
        return cls(states, tuple(whole), tuple(running))

    def document(self) -> dict[str, Any]:
        """Counts by state; the median and the longest run."""
        return {
            "states": self.states,
            "median_seconds": statistics.median(self.seconds) if self.seconds else math.nan,
            "max_seconds": max(self.seconds, default=math.nan),
            "median_running_seconds": statistics.median(self.running) if self.running else math.nan,
        }


@dataclass(frozen=True, slots=True)
class Phase:
    """The figures of a phase at one rate (0: at rest)."""

    name: str
    rate: float
    seconds: float
    commits: int
    late_seconds: float
    unseen: int
    raw: Lag
    mart: Lag
    loads: Runs
    builds: Runs
    segments: int
    rows: int
    cpu_percent: dict[str, float]
    """Of all processors, by component."""
    machine_percent: float
    """All that the machine did, other programs included."""
    reader_percent: float
    """The benchmark's own process."""
    hot: dict[str, float] = field(default_factory=dict)
    """CPU seconds by process title, the hottest first."""

    @property
    def stack_percent(self) -> float:
        """All components together."""
        return sum(self.cpu_percent.values())

    def document(self) -> dict[str, Any]:
        """The phase for JSON."""
        return {
            "rate": self.rate,
            "seconds": round(self.seconds, 1),
            "commits": self.commits,
            "late_seconds": self.late_seconds,
            "unseen": self.unseen,
            "raw_lag": self.raw.document(),
            "mart_lag": self.mart.document(),
            "loads": self.loads.document(),
            "builds": self.builds.document(),
            "segments": self.segments,
            "rows": self.rows,
            "cpu_percent": self.cpu_percent,
            "stack_percent": self.stack_percent,
            "machine_percent": self.machine_percent,
            "reader_percent": self.reader_percent,
            "hot_cpu_seconds": self.hot,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a promise: what was seen, and whether it is kept."""

    promise: str
    seen: str
    kept: bool

    def __str__(self) -> str:
        return f"{'pass' if self.kept else 'MISS'}  {self.promise}: {self.seen}"


STEADY_RATES = (1.0, 20.0)
"""At these the second half must be like the first; at higher ones history grows within the run."""
HALVES_RATIO = 1.1
STACK_PERCENT = {0.0: 12.0, 1.0: 60.0}
"""Of all processors, by rate."""
DIRECT_P50, DIRECT_P99 = 9.0, 15.0
"""Commit to mart with target lag 0, seconds."""


def verdicts(phase: Phase, target_lag: float) -> list[Verdict]:
    """The promises that this phase can judge."""
    judged: list[Verdict] = []

    def judge(promise: str, seen: str, *, kept: bool) -> None:
        judged.append(Verdict(f"{phase.name}: {promise}", seen, kept))

    lag = phase.mart.document()
    if phase.rate:
        bound = target_lag + 2 * phase.builds.document()["median_seconds"]
        seen = f"{lag['max']:.1f} / {bound:.1f} s"
        judge("mart lag <= target lag + two builds", seen, kept=lag["max"] <= bound and not phase.unseen)
    if phase.rate in STEADY_RATES:
        ratio = lag["second_half_p99"] / lag["first_half_p99"]
        promise = f"p99 of the second half <= {HALVES_RATIO} x the first"
        judge(promise, f"{ratio:.2f}", kept=ratio <= HALVES_RATIO)
    if (most := STACK_PERCENT.get(phase.rate)) is not None:
        promise = f"the stack takes <= {most:.0f} % of all processors"
        judge(promise, f"{phase.stack_percent:.1f} %", kept=phase.stack_percent <= most)
    return judged
