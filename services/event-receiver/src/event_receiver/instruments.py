"""The receiver's metrics, as `bank_common.metrics` names them."""

from prometheus_client import CollectorRegistry

from bank_common import metrics as m
from bank_common.service import build_metric


class Instruments:
    """One method per thing that happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = build_metric(m.RECEIVER_EVENTS, registry)
        self._wakeups = build_metric(m.RECEIVER_WAKEUPS, registry)
        self._dirty = build_metric(m.RECEIVER_DIRTY, registry)

    def received(self, outcome: str) -> None:
        """A record (accepted, poison_…), or a request that was turned away (unauthorized, too_large, malformed)."""
        self._events.labels(outcome).inc()

    def woken(self, outcome: str) -> None:
        """A call to Airflow for a wake-up: triggered, unreachable or refused."""
        self._wakeups.labels(outcome).inc()

    def dirty(self, dirty: bool) -> None:
        """Whether a wake-up is owed."""
        self._dirty.set(int(dirty))
