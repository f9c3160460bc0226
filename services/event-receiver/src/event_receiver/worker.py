"""The worker that wakes the load: performs the steps of `WakeUp` through Airflow, as long as the program runs."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from bank_common.runtime import tracing
from bank_common.runtime.logging import Logger
from bank_common.runtime.service import Readiness
from event_receiver.metrics import ReceiverMetrics
from event_receiver.model.cycle import Stage
from event_receiver.model.events import Hint
from event_receiver.model.wakeup import Look, Rest, Trigger, WakeUp, Watch
from event_receiver.ports import AirflowPort, Clock, RefusedError, RunState, UnreachableError

DEPENDENCY: Final = "airflow"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: between looks at a queued run, between retries (doubling), after a refusal, between checks at rest.

    When the load is woken is `Pacing`'s. A run that is queued for `stuck_seconds` makes the worker ask why (a paused
    DAG never starts its runs).
    """

    poll_seconds: float = 0.5
    first_retry_seconds: float = 0.5
    longest_retry_seconds: float = 30.0
    refused_retry_seconds: float = 30.0
    check_seconds: float = 15.0
    stuck_seconds: float = 30.0


class WakeUpWorker:
    """Owns the flag: `mark` sets it, `run` acts on it. Both in one event loop."""

    def __init__(
        self,
        state: WakeUp,
        airflow: AirflowPort,
        clock: Clock,
        pace: Pace,
        readiness: Readiness,
        metrics: ReceiverMetrics,
        log: Logger,
    ) -> None:
        self._state = state
        self._airflow = airflow
        self._clock = clock
        self._pace = pace
        self._readiness = readiness
        self._metrics = metrics
        self._log = log
        self._marked = asyncio.Event()
        self._conf: tuple[str, dict[str, Any]] | None = None
        self._retry_seconds = pace.first_retry_seconds
        self._queued_seconds = 0.0
        self._refusal: str | None = None
        self._answered_at = clock.monotonic()
        self._before = Stage.OVER.value

    def mark(self, hints: Iterable[Hint]) -> None:
        """Note events; returns at once."""
        self._state.mark(hints, now=self._clock.monotonic(), wall=self._clock.wall())
        self._metrics.dirty(self._state.dirty)
        self._marked.set()

    async def run(self) -> None:
        """Work until cancelled. The flag survives every failure; only the process's end loses it."""
        while True:
            step = self._state.next_step(self._clock.monotonic())
            self._metrics.dirty(self._state.dirty)
            self._metrics.waiting((step.seconds or 0.0) if isinstance(step, Rest) else 0.0)
            try:
                match step:
                    case Trigger():
                        await self._trigger(step)
                    case Watch():
                        await self._watch(step)
                    case Look():
                        await self._look()
                    case Rest():
                        await self._rest(step.seconds)
            except UnreachableError as error:
                await self._later(error)
            except RefusedError as error:
                await self._much_later(error)

    async def _trigger(self, order: Trigger) -> None:
        await self._airflow.trigger(order.run_id, self._conf_of(order))
        self._state.acknowledged(order.run_id, self._clock.monotonic())
        self._queued_seconds = 0.0
        self._answered()
        self._metrics.woken("triggered")
        self._metrics.cycle(self._before)
        self._log.info("load_woken", run_id=order.run_id, hints=len(order.keys), before=self._before)
        await self._clock.sleep(self._pace.poll_seconds)

    def _conf_of(self, order: Trigger) -> dict[str, Any]:
        """Make the run's conf, once per order: what is sent again is the same to the letter."""
        if self._conf is None or self._conf[0] != order.run_id:
            with tracing.span("event_receiver.wake_up", linked=order.traceparents):
                own = tracing.current_traceparent()
            # Without an exporter here the segment's own context goes on.
            fallback = order.traceparents[-1] if order.traceparents else None
            self._conf = order.run_id, {"traceparent": own or fallback, "keys": list(order.keys)}
        return self._conf[1]

    async def _look(self) -> None:
        self._state.asked()
        try:
            runs = await self._airflow.latest()
        except RefusedError as error:
            self._log.warning("runs_not_told", reason=error.reason, advice=error.advice)
            self._before = "unseen"
            self._state.unseen()
            return
        stage = self._state.looked(runs, self._clock.monotonic())
        self._before = "over" if stage is Stage.OVER else "overdue"
        if self._state.latest is not None:
            self._metrics.took(self._state.latest.load, self._state.latest.build)
        self._answered()

    async def _watch(self, watch: Watch) -> None:
        self._state.asked()
        if await self._airflow.state(watch.run_id) is RunState.LEFT:
            self._state.left_queue(watch.run_id)
            self._answered()
            return
        self._state.still_queued(watch.run_id)
        if self._queued_seconds >= self._pace.stuck_seconds:
            await self._airflow.check()
            self._queued_seconds = 0.0
        self._answered()
        self._queued_seconds += self._pace.poll_seconds
        await self._clock.sleep(self._pace.poll_seconds)

    async def _rest(self, seconds: float | None) -> None:
        # Events come all the time: what is asked every so often goes by Airflow's last answer.
        check = max(self._answered_at + self._pace.check_seconds - self._clock.monotonic(), 0.0)
        await self._clock.wait(self._marked, check if seconds is None else min(seconds, check))
        self._marked.clear()
        if self._clock.monotonic() >= self._answered_at + self._pace.check_seconds:
            await self._airflow.check()
            self._answered()

    def _answered(self) -> None:
        self._answered_at = self._clock.monotonic()
        self._retry_seconds = self._pace.first_retry_seconds
        self._refusal = None
        self._readiness.ready(DEPENDENCY)

    async def _later(self, error: UnreachableError) -> None:
        self._readiness.unready(DEPENDENCY, error.reason)
        self._metrics.woken("unreachable")
        self._log.warning("airflow_unreachable", reason=error.reason, retry_seconds=self._retry_seconds)
        await self._clock.sleep(self._retry_seconds)
        self._retry_seconds = min(self._retry_seconds * 2, self._pace.longest_retry_seconds)

    async def _much_later(self, error: RefusedError) -> None:
        self._readiness.unready(DEPENDENCY, f"{error.reason}. {error.advice}")
        self._metrics.woken("refused")
        if error.reason != self._refusal:
            self._log.error("load_refused", reason=error.reason, advice=error.advice)
            self._refusal = error.reason
        await self._clock.sleep(self._pace.refused_retry_seconds)
