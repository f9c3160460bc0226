"""An Airflow in memory with one active run of each DAG at a time, ways for it to fail, and a clock turned by hand."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from event_receiver.model.cycle import DagRun, DagRuns
from event_receiver.ports import RefusedError, RunState, UnreachableError

Fault = Callable[[], None]


@dataclass(slots=True)
class SimulatedRun:
    """The life of a run, in seconds of the simulation."""

    run_id: str
    queued: float
    started: float | None = None
    ended: float | None = None

    @property
    def sweep(self) -> bool:
        return self.run_id.startswith("scheduled")

    def told(self, offset: float) -> DagRun:
        state = "success" if self.ended is not None else "queued" if self.started is None else "running"
        moments = (None if at is None else at + offset for at in (self.queued, self.started, self.ended))
        queued, started, ended = moments
        assert queued is not None
        return DagRun(self.run_id, state, queued, started, ended, self.sweep)


class Scheduler:
    """Loads and builds as Airflow runs them: one active run of each DAG, a build after each load but the sweep's.

    Loads that end while a build is active are one build afterwards, as with assets. `advance` may be told of a moment
    only after the ones before it.
    """

    def __init__(
        self,
        load_seconds: float = 2.0,
        build_seconds: float = 3.0,
        queue_seconds: float = 0.0,
        handover_seconds: float = 0.5,
        clock_offset: float = 1_000_000.0,
    ) -> None:
        self.load_seconds, self.build_seconds = load_seconds, build_seconds
        self.queue_seconds, self.handover_seconds = queue_seconds, handover_seconds
        self.clock_offset = clock_offset
        self.loads: list[SimulatedRun] = []
        self.builds: list[SimulatedRun] = []
        self.builds_paused = False
        self._build_due: float | None = None
        self.advance(0.0)

    def load(self, run_id: str, now: float) -> None:
        self.loads.append(SimulatedRun(run_id, now))
        self.advance(now)

    def advance(self, now: float) -> None:
        """Simulate everything that happens until `now`, in its order."""
        while (moment := self._next_moment()) is not None and moment[0] <= now:
            moment[1](moment[0])

    def runs(self, now: float) -> DagRuns:
        self.advance(now)
        offset = self.clock_offset
        return DagRuns(
            now + offset,
            tuple(run.told(offset) for run in reversed(self.loads[-15:])),
            tuple(run.told(offset) for run in reversed(self.builds[-5:])),
        )

    def queued_loads(self) -> list[str]:
        return [run.run_id for run in self.loads if run.started is None]

    def _next_moment(self) -> tuple[float, Callable[[float], None]] | None:
        moments: list[tuple[float, Callable[[float], None]]] = []
        for runs, seconds, ending in (
            (self.loads, self.load_seconds, self._load_ends),
            (self.builds, self.build_seconds, self._build_ends),
        ):
            running = next((run for run in runs if run.started is not None and run.ended is None), None)
            queued = next((run for run in runs if run.started is None), None)
            if running is not None and running.started is not None:
                moments.append((running.started + seconds, lambda at, run=running, end=ending: end(run, at)))
            elif queued is not None:
                free = max((run.ended for run in runs if run.ended is not None), default=0.0)
                moments.append((max(queued.queued + self.queue_seconds, free), lambda at, run=queued: _start(run, at)))
        if self._build_due is not None and not self.builds_paused and all(it.ended is not None for it in self.builds):
            free = max((run.ended for run in self.builds if run.ended is not None), default=0.0)
            moments.append((max(self._build_due, free + self.handover_seconds), self._make_build))
        return min(moments, key=lambda moment: moment[0], default=None)

    def _load_ends(self, run: SimulatedRun, at: float) -> None:
        run.ended = at
        if self._build_due is None and not run.sweep:
            self._build_due = at + self.handover_seconds

    def _make_build(self, at: float) -> None:
        self._build_due = None
        self.builds.append(SimulatedRun(f"asset__{len(self.builds)}", at))

    def _build_ends(self, run: SimulatedRun, at: float) -> None:
        run.ended = at


def _start(run: SimulatedRun, at: float) -> None:
    run.started = at


class InMemoryAirflow:
    """The `AirflowPort` of a `Scheduler`. Runs move on when the clock does."""

    def __init__(self, clock: "ManualClock") -> None:
        self.scheduler = Scheduler()
        self.confs: dict[str, list[dict[str, Any]]] = {}
        self.most_queued = 0
        self.checks = 0
        self.looks = 0
        self.before: list[Fault] = []
        """Run before a call is acted on, one per call."""
        self.after: list[Fault] = []
        """Run after a trigger was acted on: the answer that is lost."""
        self._clock = clock

    @property
    def finished(self) -> list[str]:
        self.scheduler.advance(self._clock.now)
        return [run.run_id for run in self.scheduler.loads if run.ended is not None]

    async def trigger(self, run_id: str, conf: Mapping[str, Any]) -> None:
        self._fault(self.before)
        sent = self.confs.setdefault(run_id, [])
        sent.append(dict(conf))
        if len(sent) == 1:
            self.scheduler.load(run_id, self._clock.now)
            self.most_queued = max(self.most_queued, len(self.scheduler.queued_loads()))
        self._fault(self.after)

    async def state(self, run_id: str) -> RunState:
        self._fault(self.before)
        self.scheduler.advance(self._clock.now)
        return RunState.QUEUED if run_id in self.scheduler.queued_loads() else RunState.LEFT

    async def latest(self) -> DagRuns:
        self.looks += 1
        self._fault(self.before)
        return self.scheduler.runs(self._clock.now)

    async def check(self) -> None:
        self.checks += 1
        self._fault(self.before)

    def _fault(self, faults: list[Fault]) -> None:
        if faults:
            faults.pop(0)()


class ManualClock:
    """Time that passes only in waits. `turn` lets the worker run until a moment of that time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._until = 0.0
        self._turned = asyncio.Condition()

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_790_000_000.0 + self.now

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


def untold() -> None:
    raise RefusedError("Airflow answered 403", "Its user needs another role.")


def fine() -> None:
    """No fault."""
