"""Ports: Airflow's runs and the clock, as the receiver needs them."""

import asyncio
from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol

from event_receiver.model.cycle import DagRuns


class RunState(Enum):
    """The state of a DAG run, as far as waking cares."""

    QUEUED = "queued"
    LEFT = "left"
    """Running, ended or unknown: not in the queue."""


class UnreachableError(Exception):
    """No answer, or one that says "not now" (5xx, 429). What was asked for may have happened all the same."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RefusedError(Exception):
    """An answer that will not change by itself: `advice` says what an operator does about it."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


class AirflowPort(Protocol):
    """The runs of the load DAG, and of the build that follows it.

    Every method raises UnreachableError or RefusedError, and nothing else.
    """

    async def trigger(self, run_id: str, conf: Mapping[str, Any]) -> None:
        """Have a run of that id. A run that is there already is success: the id is ours alone."""
        ...

    async def state(self, run_id: str) -> RunState:
        """Read the state of the run."""
        ...

    async def latest(self) -> DagRuns:
        """The latest runs of load and build. It costs the API server about as much as `state`."""
        ...

    async def check(self) -> None:
        """Check that runs would start: Airflow answers, the login works, the DAG is there and not paused."""
        ...


class Clock(Protocol):
    """Time that passes."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def wall(self) -> float:
        """Seconds since 1970: the time of day, which may jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for the event, at most so long."""
        ...
