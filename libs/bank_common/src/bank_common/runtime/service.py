"""What every long runner has: a clean stop on SIGTERM, readiness with reasons, liveness, and its metrics.

Needs the `runtime` extra (prometheus-client). `bank_common.runtime.health` shows them over HTTP.
"""

import signal
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bank_common.runtime.metrics import Metric


class Shutdown:
    """Turns SIGTERM and SIGINT into a flag that the main loop looks at; a second signal changes nothing."""

    def __init__(self) -> None:
        self._requested = threading.Event()

    def install(self) -> Self:
        """Take over SIGTERM and SIGINT; call from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._requested.set()

    def request(self) -> None:
        """Ask for the stop from inside the program."""
        self._requested.set()

    @property
    def requested(self) -> bool:
        """Whether the program should stop now."""
        return self._requested.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the request at most that long; True when it came."""
        return self._requested.wait(seconds)


class Readiness:
    """The dependencies of a program, each ready or with the reason why not. Thread-safe."""

    def __init__(self, dependencies: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._reasons: dict[str, str | None] = dict.fromkeys(dependencies, "starting")

    def ready(self, dependency: str) -> None:
        """Note that a dependency answers."""
        with self._lock:
            self._reasons[dependency] = None

    def unready(self, dependency: str, reason: str) -> None:
        """Note that a dependency does not answer, and why."""
        with self._lock:
            self._reasons[dependency] = reason

    def report(self) -> dict[str, str]:
        """Return what is not ready, with its reason; empty when the program is ready."""
        with self._lock:
            return {name: reason for name, reason in self._reasons.items() if reason is not None}


class Liveness:
    """Whether the main loop still runs. Thread-safe."""

    def __init__(self, clock: Callable[[], float], limit_seconds: float) -> None:
        self._clock = clock
        self._limit_seconds = limit_seconds
        self._last = clock()

    def beat(self) -> None:
        """Note an iteration of the loop."""
        self._last = self._clock()

    def report(self) -> str | None:
        """Return why the program is not alive, or None."""
        age = self._clock() - self._last
        return f"the loop's last turn was {age:.0f} s ago" if age > self._limit_seconds else None


def build_metric(metric: Metric, registry: CollectorRegistry) -> Any:
    """Register a metric of `bank_common.runtime.metrics` with Prometheus' client."""
    kind: Callable[..., Any] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}[metric.kind]
    return kind(metric.name, metric.help, metric.labels, registry=registry)
