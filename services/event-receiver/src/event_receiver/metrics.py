"""The receiver's metrics, as `bank_common.runtime.metrics` names them."""

from prometheus_client import CollectorRegistry

from bank_common.runtime import metrics as m
from bank_common.runtime.service import build_metric


class ReceiverMetrics:
    """The metrics of webhook, wake-ups and cycles."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = build_metric(m.RECEIVER_EVENTS, registry)
        self._wakeups = build_metric(m.RECEIVER_WAKEUPS, registry)
        self._cycles = build_metric(m.RECEIVER_CYCLES, registry)
        self._wait = build_metric(m.RECEIVER_WAIT, registry)
        self._load = build_metric(m.RECEIVER_LOAD, registry)
        self._build = build_metric(m.RECEIVER_BUILD, registry)
        self._dirty = build_metric(m.RECEIVER_DIRTY, registry)

    def received(self, outcome: str) -> None:
        """Count a record (accepted, poison_…), or a rejected request (unauthorized, too_large, malformed)."""
        self._events.labels(outcome).inc()

    def woken(self, outcome: str) -> None:
        """Count a call to Airflow for a wake-up: triggered, unreachable or refused."""
        self._wakeups.labels(outcome).inc()

    def cycle(self, before: str) -> None:
        """Count a cycle that begins; the one before was over, overdue, or Airflow would not tell (unseen)."""
        self._cycles.labels(before).inc()

    def waiting(self, seconds: float) -> None:
        """Set the seconds until the owed wake-up; 0 when none is owed or it is under way."""
        self._wait.set(seconds)

    def took(self, load_seconds: float, build_seconds: float) -> None:
        """Set the seconds of load and build of the last successful cycle, from queueing to success."""
        self._load.set(load_seconds)
        self._build.set(build_seconds)

    def dirty(self, dirty: bool) -> None:
        """Set to 1 while a wake-up is owed."""
        self._dirty.set(int(dirty))
