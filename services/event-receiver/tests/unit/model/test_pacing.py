"""The wake-up over minutes, against loads and builds as Airflow runs them: pure, on simulated time."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receiver_testing.fakes import Scheduler

from bank_common.landing.segments import SegmentKey
from event_receiver.model.events import Hint
from event_receiver.model.wakeup import Look, Pacing, Rest, Trigger, WakeUp, Watch

REQUEST = 0.02
POLL = 0.5
WALL = 1_790_000_000.0


@dataclass
class Simulation:
    """The worker's loop without its errors: each call takes `REQUEST` seconds."""

    pacing: Pacing
    scheduler: Scheduler
    marks: list[float]
    """When segments land, in order; each holds a change that was committed `age` before."""
    age: float = 0.0
    sweep_every: float | None = None
    looks: int = 0
    orders: list[float] = field(default_factory=list)
    longest_patience: float = 0.0

    def run(self, seconds: float) -> "Simulation":
        machine = WakeUp("p", self.pacing)
        coming = list(self.marks)
        now, watched_from, sweep = 0.0, 0.0, self.sweep_every
        while now < seconds:
            while coming and coming[0] <= now:
                at = coming.pop(0)
                key = SegmentKey("bank.public.accounts", 0, len(self.marks) - len(coming))
                machine.mark([Hint(key, None, WALL + at - self.age)], now=at, wall=WALL + at)
            while sweep is not None and self.sweep_every is not None and sweep <= now:
                self.scheduler.load(f"scheduled__{sweep}", sweep)
                sweep += self.sweep_every
            self.scheduler.advance(now)
            match machine.next_step(now):
                case Trigger(run_id=run_id):
                    self.scheduler.load(run_id, now)
                    assert len([it for it in self.scheduler.queued_loads() if it.startswith("wake")]) <= 1
                    self.orders.append(now)
                    now += REQUEST
                    machine.acknowledged(run_id, now)
                    watched_from = now + POLL
                case Watch(run_id=run_id):
                    now = max(now, watched_from)
                    self.scheduler.advance(now)
                    queued = run_id in self.scheduler.queued_loads()
                    machine.asked()
                    (machine.still_queued if queued else machine.left_queue)(run_id)
                    watched_from = now + POLL
                    now += REQUEST
                case Look():
                    self.looks += 1
                    machine.asked()
                    machine.looked(self.scheduler.runs(now), now)
                    self.longest_patience = max(self.longest_patience, machine.patience_seconds)
                    now += REQUEST
                case Rest(seconds=pause):
                    events = [it for it in (coming[0] if coming else None, sweep) if it is not None]
                    until = [*events, seconds] if pause is None else [*events, seconds, now + pause]
                    now = max(min(until), now + 1e-6)
        self.scheduler.advance(seconds + 100)
        return self

    def load_starts(self) -> list[float]:
        return [run.started for run in self.scheduler.loads if run.started is not None and not run.sweep]

    def shown(self, mark: float) -> float:
        """When the marts show what landed then."""
        loads = [it for it in self.scheduler.loads if not it.sweep and it.started is not None and it.started >= mark]
        listed = min(loads, key=_started)
        assert listed.ended is not None
        return min(it.ended for it in self.scheduler.builds if it.ended is not None and it.queued >= listed.ended)

    def lags(self, until: float) -> list[float]:
        return [self.shown(mark) - mark + self.age for mark in self.marks if mark <= until]


def _started(run: object) -> float:
    return run.started  # type: ignore[attr-defined]


def steady(every: float, seconds: float, start: float = 20.0) -> list[float]:
    return [start + number * every for number in range(int((seconds - start) / every))]


def test_steady_traffic_is_shown_at_the_target_lag_and_cycles_are_even() -> None:
    result = Simulation(Pacing(), Scheduler(load_seconds=1, build_seconds=2), steady(1.0, 300), age=0.5).run(330)
    lags = result.lags(280)[30:]
    assert 9.5 <= max(lags) <= 10.2
    gaps = [after - before for before, after in pairwise(result.orders[5:-5])]
    assert max(gaps) - min(gaps) <= 1.5
    # One look at the runs a cycle, and one more when it is late.
    assert result.looks <= 2 * len(result.orders) + 2


def test_cycles_are_serial_and_no_build_waits_for_another() -> None:
    for target_lag in (0.0, 5.0, 10.0):
        result = Simulation(Pacing(target_lag_seconds=target_lag), Scheduler(), steady(0.5, 120), age=0.5).run(150)
        ends = [run.ended for run in result.scheduler.builds if run.ended is not None]
        starts = result.load_starts()
        assert all(after >= end for end, after in zip(ends, starts[1:], strict=False))


def test_as_soon_as_possible_is_one_cycle_after_the_other() -> None:
    result = Simulation(Pacing(target_lag_seconds=0.0), Scheduler(), steady(0.5, 120)).run(150)
    cycle = 2.0 + 0.5 + 3.0
    gaps = [after - before for before, after in pairwise(result.orders[3:-3])]
    assert max(gaps) <= cycle + 1.0
    assert max(result.lags(110)[10:]) <= 2 * cycle + 2.0


def test_a_single_change_on_a_quiet_stack_is_one_cycle() -> None:
    result = Simulation(Pacing(), Scheduler(), [30.0, 30.01, 90.0, 90.01], age=0.5).run(150)
    assert len(result.orders) == 3
    assert max(result.lags(100)) <= 10.5


@pytest.mark.parametrize("target_lag", [10.0, 60.0])
def test_a_sweep_makes_no_cycle(target_lag: float) -> None:
    marks = steady(1.0, 600)
    pacing = Pacing(target_lag_seconds=target_lag)
    alone = Simulation(pacing, Scheduler(), marks).run(600)
    beside = Simulation(pacing, Scheduler(), marks, sweep_every=40.0).run(600)
    assert len(beside.scheduler.builds) <= len(alone.scheduler.builds)
    # A load may have to wait for a sweep that runs, two seconds here, and to be looked for again.
    assert max(beside.lags(500)[30:]) <= max(alone.lags(500)[30:]) + 2.5


def test_a_paused_build_does_not_stop_loads() -> None:
    scheduler = Scheduler()
    scheduler.builds_paused = True
    result = Simulation(Pacing(), scheduler, steady(1.0, 120, start=0.5)).run(120)
    assert max(after - before for before, after in pairwise(result.load_starts())) <= 10


def test_a_hanging_build_does_not_stop_loads() -> None:
    result = Simulation(Pacing(), Scheduler(build_seconds=10_000), steady(1.0, 500, start=0.5)).run(520)
    assert max(after - before for before, after in pairwise(result.load_starts())) <= 10 + 70
    assert len(result.load_starts()) >= 6


@settings(max_examples=60, deadline=None)
@given(
    target_lag=st.sampled_from([0.0, 2.0, 10.0, 45.0]),
    marks=st.lists(st.floats(0, 120), max_size=60).map(sorted),
    age=st.floats(0, 8),
    load=st.floats(0.2, 8),
    build=st.floats(0.5, 30),
    queue=st.floats(0, 2),
    handover=st.floats(0.05, 2.5),
    sweep=st.none() | st.floats(20, 60),
)
def test_every_change_is_loaded_in_time_and_there_is_no_storm(
    target_lag: float,
    marks: list[float],
    age: float,
    load: float,
    build: float,
    queue: float,
    handover: float,
    sweep: float | None,
) -> None:
    scheduler = Scheduler(load, build, queue, handover)
    pacing = Pacing(target_lag_seconds=target_lag)
    result = Simulation(pacing, scheduler, marks, age=age, sweep_every=sweep).run(1200)
    starts = result.load_starts()
    bound = target_lag + result.longest_patience + 2 * load + queue + 15
    for mark in marks:
        assert any(mark <= start <= mark + bound for start in starts), (mark, starts)
    # A cycle is begun when the one before is over, and only for something that landed.
    assert len(result.orders) <= 1 + len(marks)
    for before, after in pairwise(result.orders):
        assert after - before >= min(load, build)
