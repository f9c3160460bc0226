"""An Airflow in memory with one active run at a time, ways for it to fail, and a clock turned by hand."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from event_receiver.ports import RefusedError, RunState, UnreachableError

Fault = Callable[[], None]


class InMemoryAirflow:
    """The `LoadRuns` of a DAG with `max_active_runs=1`. Runs move on when the clock does, `run_seconds` each."""

    def __init__(self, clock: "ManualClock", run_seconds: float = 2.0) -> None:
        self.confs: dict[str, list[dict[str, Any]]] = {}
        self.queued: list[str] = []
        self.running: str | None = None
        self.finished: list[str] = []
        self.most_queued = 0
        self.checks = 0
        self.before: list[Fault] = []
        """Run before a call is acted on, one per call."""
        self.after: list[Fault] = []
        """Run after a trigger was acted on: the answer that is lost."""
        self._run_seconds = run_seconds
        self._ends_at = 0.0
        self._clock = clock
        clock.on_tick.append(self._tick)

    async def trigger(self, run_id: str, conf: Mapping[str, Any]) -> None:
        self._fault(self.before)
        sent = self.confs.setdefault(run_id, [])
        sent.append(dict(conf))
        if len(sent) == 1:
            self.queued.append(run_id)
            self.most_queued = max(self.most_queued, len(self.queued))
            self._tick()
        self._fault(self.after)

    async def state(self, run_id: str) -> RunState:
        self._fault(self.before)
        return RunState.QUEUED if run_id in self.queued else RunState.LEFT

    async def check(self) -> None:
        self.checks += 1
        self._fault(self.before)

    def _fault(self, faults: list[Fault]) -> None:
        if faults:
            faults.pop(0)()

    def _tick(self) -> None:
        if self.running is not None and self._clock.now >= self._ends_at:
            self.finished.append(self.running)
            self.running = None
        if self.running is None and self.queued:
            self.running = self.queued.pop(0)
            self._ends_at = self._clock.now + self._run_seconds


class ManualClock:
    """Time that passes only in waits. `turn` lets the worker run until a moment of that time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.on_tick: list[Callable[[], None]] = []
        self._until = 0.0
        self._turned = asyncio.Condition()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._pass(self.now + seconds, None)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        await self._pass(self.now + seconds, event)

    async def turn(self, seconds: float) -> None:
        """Let so much time pass, step by step, with everything that wants to happen in it."""
        for _ in range(round(seconds / 0.25)):
            self._until += 0.25
            self.now = self._until
            for tick in self.on_tick:
                tick()
            async with self._turned:
                self._turned.notify_all()
            for _ in range(20):
                await asyncio.sleep(0)

    async def _pass(self, due: float, event: asyncio.Event | None) -> None:
        async with self._turned:
            while self.now < due and not (event is not None and event.is_set()):
                turned = asyncio.ensure_future(self._turned.wait())
                marked = asyncio.ensure_future(event.wait()) if event is not None else None
                waited = {turned} if marked is None else {turned, marked}
                try:
                    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for future in waited:
                        future.cancel()
                    await asyncio.gather(*waited, return_exceptions=True)


def unreachable() -> None:
    raise UnreachableError("no answer from Airflow (ConnectError)")


def paused() -> None:
    raise RefusedError("The DAG load_raw is paused", "Unpause it.")


def fine() -> None:
    """No fault."""
