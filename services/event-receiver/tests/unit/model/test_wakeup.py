"""The state machine alone, against a model of what an observer may ever see (I15)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bank_common.landing.segments import SegmentKey
from event_receiver.model.cycle import DagRun, DagRuns, Stage
from event_receiver.model.events import Hint
from event_receiver.model.wakeup import MAX_HINTS, REMEMBERED_KEYS, Look, Pacing, Rest, Step, Trigger, WakeUp, Watch

AT_ONCE = Pacing(target_lag_seconds=0)
LATER = 1e6
"""Whatever is owed is due by then."""


def hint(number: int, committed: float | None = None) -> Hint:
    return Hint(SegmentKey("bank.public.accounts", 0, number), f"00-{number:032x}-{1:016x}-01", committed)


def cycle(number: int, queued: float, *, load: float = 2, build: float = 3) -> tuple[DagRun, DagRun]:
    """A load and the build that followed it; a second lies between them."""
    ended = queued + load
    last = DagRun(f"wake__p__{number}", "success", queued, queued, ended)
    return last, DagRun(f"asset__{number}", "success", ended + 1, ended + 1, ended + 1 + build)


def runs(now: float, *cycles: tuple[DagRun, ...]) -> DagRuns:
    loads = [it for cycle in reversed(cycles) for it in cycle if not it.run_id.startswith("asset")]
    return DagRuns(now, tuple(loads), tuple(it for cycle in reversed(cycles) for it in cycle[1:]))


def step(machine: WakeUp, now: float = LATER) -> Step:
    """The next step, with every cycle seen over."""
    next_step = machine.next_step(now)
    if isinstance(next_step, Look):
        machine.looked(DagRuns(0, (), ()), now)
        next_step = machine.next_step(now)
    return next_step


def pause(rest: Step) -> float:
    assert isinstance(rest, Rest)
    assert rest.seconds is not None
    return rest.seconds


def order(machine: WakeUp, now: float = LATER) -> Trigger:
    trigger = step(machine, now)
    assert isinstance(trigger, Trigger)
    return trigger


def over(machine: WakeUp, now: float = LATER) -> None:
    run_id = order(machine, now).run_id
    machine.acknowledged(run_id, now)
    machine.left_queue(run_id)


def started(pacing: Pacing = AT_ONCE, now: float = 0.0) -> WakeUp:
    """A machine whose first, unconditional wake-up is over."""
    machine = WakeUp("p", pacing)
    over(machine, now)
    return machine


def paced(target_lag: float = 10.0) -> WakeUp:
    """A machine that has seen a cycle of 6 s, 2 of them the load's, which started at 100 of both clocks."""
    machine = started(Pacing(target_lag_seconds=target_lag), now=100.0)
    machine.mark([hint(0)], now=100.0)
    assert machine.next_step(101.0) == Look()
    assert machine.looked(runs(106, cycle(1, 100)), 106.0) is Stage.OVER
    return machine


def busy() -> WakeUp:
    """A machine whose cycles are shorter than its target lag, and that is to look at 200."""
    machine = paced()
    over(machine, 110.0)
    machine.mark([hint(99)], now=150.0)
    assert machine.next_step(200.0) == Look()
    return machine


def test_it_starts_dirty_and_due() -> None:
    machine = WakeUp("p", Pacing(target_lag_seconds=600))
    assert machine.dirty
    assert machine.next_step(0.0) == Look()
    assert order(machine, 0.0) == Trigger("wake__p__1", (), ())


def test_nothing_to_do_is_rest() -> None:
    machine = started()
    assert machine.next_step(LATER) == Rest()
    machine.mark([], now=1.0)
    assert machine.next_step(LATER) == Rest()
    assert not machine.dirty


def test_a_lost_answer_gives_the_same_order_again() -> None:
    machine = started()
    machine.mark([hint(1)], now=1.0)
    first = step(machine)
    machine.mark([hint(2)], now=1.0)
    assert machine.next_step(LATER) == first
    assert first == Trigger("wake__p__2", (str(hint(1).key),), (hint(1).traceparent or "",))
    assert machine.dirty


def test_events_during_a_wake_up_owe_another_one() -> None:
    machine = started()
    machine.mark([hint(1)], now=1.0)
    run_id = order(machine).run_id
    machine.mark([hint(2)], now=1.0)
    machine.acknowledged(run_id, LATER)
    assert machine.next_step(LATER) == Watch(run_id)
    machine.left_queue(run_id)
    following = order(machine)
    assert (following.run_id, following.keys) == ("wake__p__3", (str(hint(2).key),))


def test_what_landed_while_the_run_was_queued_is_its_work() -> None:
    machine = started()
    machine.mark([hint(1)], now=1.0)
    run_id = order(machine).run_id
    machine.acknowledged(run_id, LATER)
    machine.mark([hint(2)], now=LATER)
    machine.asked()
    machine.mark([hint(3)], now=LATER)
    machine.still_queued(run_id)
    machine.left_queue(run_id)
    assert order(machine, LATER + 1).keys == (str(hint(3).key),)


def test_hints_are_few_and_each_once() -> None:
    machine = started()
    machine.mark([hint(n // 2) for n in range(200)], now=1.0)
    assert order(machine).keys == tuple(str(hint(n).key) for n in range(MAX_HINTS))


def test_a_segments_second_event_wakes_nobody() -> None:
    machine = started()
    machine.mark([hint(1)], now=1.0)
    over(machine)
    machine.mark([hint(1)], now=2.0)
    assert machine.next_step(LATER) == Rest()
    machine.mark([hint(1), hint(2)], now=3.0)
    assert order(machine).keys == (str(hint(2).key),)


def test_a_segment_forgotten_long_ago_wakes_again() -> None:
    machine = started()
    machine.mark([hint(n) for n in range(REMEMBERED_KEYS + 1)], now=1.0)
    over(machine)
    machine.mark([hint(REMEMBERED_KEYS)], now=2.0)
    assert machine.next_step(LATER) == Rest()
    machine.mark([hint(0)], now=3.0)
    assert isinstance(step(machine), Trigger)


def test_a_cycle_is_to_end_when_the_oldest_change_is_as_old_as_the_target_lag() -> None:
    machine = paced()
    # Heard at 100, shown by 110: a cycle of 6 s begins at 104.
    assert machine.next_step(103.0) == Rest(1.0)
    assert machine.next_step(104.0) == Look()


def test_what_a_change_waited_before_it_landed_counts() -> None:
    machine = paced(target_lag=20.0)
    machine.mark([hint(1, committed=997.0)], now=103.0, wall=1000.0)
    assert machine.next_step(103.0) == Rest(11.0)
    machine.mark([hint(2, committed=990.0)], now=103.0, wall=1000.0)
    assert machine.next_step(103.0) == Rest(4.0)


@pytest.mark.parametrize(("committed", "due"), [(0.0, 101.0), (5000.0, 114.0)])
def test_a_source_s_clock_that_is_off_costs_the_target_lag_at_most(committed: float, due: float) -> None:
    machine = started(Pacing(target_lag_seconds=20.0), now=50.0)
    machine.looked(runs(60, cycle(1, 50)), 60.0)
    machine.mark([hint(1, committed)], now=100.0, wall=1000.0)
    planned = machine.due()
    assert planned is not None
    assert planned == pytest.approx(due, abs=0.91)


def test_without_a_cycle_to_learn_from_the_load_is_woken_at_once() -> None:
    machine = started(Pacing(target_lag_seconds=600))
    machine.mark([hint(1)], now=50.0)
    assert pause(machine.next_step(50.0)) == pytest.approx(0.1)
    assert machine.next_step(50.1) == Look()
    assert isinstance(step(machine, 50.1), Trigger)


def test_the_segments_of_one_transaction_settle_even_when_they_are_late() -> None:
    machine = paced(target_lag=0.0)
    over(machine)
    machine.mark([hint(1)], now=200.0)
    assert pause(machine.next_step(200.0)) == pytest.approx(0.1)


def test_a_load_waits_for_the_build_of_the_one_before() -> None:
    machine = busy()
    load, build = cycle(1, 100)
    assert machine.looked(DagRuns(104, (load,), (DagRun("asset__1", "running", 103, 104),)), 200.0) is Stage.BUILDING
    assert pause(machine.next_step(200.0)) == pytest.approx(1.0)
    assert machine.next_step(201.0) == Look()
    assert machine.looked(DagRuns(106, (load,), (build,)), 201.0) is Stage.OVER
    assert isinstance(machine.next_step(201.0), Trigger)


def test_a_build_that_hangs_does_not_stop_loads() -> None:
    machine = busy()
    hanging = DagRuns(104, (cycle(1, 100)[0],), (DagRun("asset__1", "running", 103, 104),))
    now = since = 200.0
    while not isinstance(next_step := machine.next_step(now), Trigger):
        if isinstance(next_step, Look):
            machine.looked(hanging, now)
        else:
            assert isinstance(next_step, Rest)
            assert next_step.seconds is not None
            now += next_step.seconds
    assert 60 <= now - since <= 70


def test_patience_grows_with_what_cycles_take() -> None:
    machine = started()
    assert machine.patience_seconds == 60
    machine.looked(runs(500, cycle(1, 100, build=97)), 500.0)
    assert machine.patience_seconds == 300


def test_an_airflow_that_does_not_tell_holds_nothing_up() -> None:
    machine = started()
    machine.mark([hint(1)], now=1.0)
    assert machine.next_step(2.0) == Look()
    machine.unseen()
    assert isinstance(machine.next_step(2.0), Trigger)


def by_hand(number: int, queued: float) -> tuple[DagRun, DagRun]:
    load, build = cycle(number, queued)
    return replace(load, run_id=f"manual__{number}"), replace(build, run_id=f"asset__m{number}")


def test_what_landed_before_a_look_is_the_work_of_a_load_that_started_after_it() -> None:
    machine = paced()
    machine.asked()
    machine.looked(runs(1110, cycle(1, 100), by_hand(2, 1108)), 110.0)
    # It may have landed before that load started, and may not: the look before it was sent earlier still.
    assert machine.dirty
    machine.asked()
    machine.looked(runs(1130, cycle(1, 100), by_hand(2, 1108), by_hand(3, 1120)), 130.0)
    assert not machine.dirty


def test_what_landed_after_a_look_stays_owed_whatever_airflow_s_clock_says() -> None:
    machine = paced()
    machine.asked()
    machine.mark([hint(1)], now=105.0)
    assert machine.due() == 104.0
    machine.looked(runs(1110, cycle(1, 100), by_hand(2, 1107)), 110.0)
    assert machine.due() == 107.0 + 10.0 - 6.0
    machine.mark([hint(2, committed=995.0)], now=110.0, wall=1000.0)
    assert machine.due() == 105.0 + 10.0 - 6.0
    assert set(order(machine).keys) >= {str(hint(1).key), str(hint(2).key)}


def test_events_on_both_sides_of_a_load_s_start_are_paced_by_the_oldest() -> None:
    machine = paced()
    machine.asked()
    for number, now in ((1, 106.9), (2, 107.3)):
        machine.mark([hint(number, committed=990.0)], now=now, wall=990.0 + now - 101.0)
    machine.looked(runs(1110, cycle(1, 100), by_hand(2, 1107)), 110.0)
    assert machine.due() == pytest.approx(101.0 + 10.0 - 6.0)


@pytest.mark.parametrize("difference", [{"state": "failed"}, {"sweep": True}], ids=str)
def test_a_load_that_failed_and_a_sweep_cover_nothing(difference: dict[str, Any]) -> None:
    machine = paced()
    other = replace(by_hand(2, 1108)[0], **difference)
    for moment in (110.0, 120.0):
        machine.asked()
        machine.looked(DagRuns(1000 + moment, (other,), ()), moment)
    assert machine.due() == 104.0


class Observed(RuleBasedStateMachine):
    """Events, sendings, lost answers and run states in any order, and what must hold throughout."""

    @initialize()
    def begin(self) -> None:
        self.machine = WakeUp("p", AT_ONCE)
        self.in_queue: set[str] = set()
        self.arrived: set[str] = set()
        # A landed segment is covered by a run that leaves the queue after it landed.
        self.uncovered = {"before the start"}
        self.events = 0

    @rule()
    def event(self) -> None:
        self.events += 1
        self.uncovered.add(f"event {self.events}")
        self.machine.mark([hint(self.events)], now=float(self.events))

    @precondition(lambda self: self.events)
    @rule()
    def repeated_event(self) -> None:
        self.machine.mark([hint(self.events)], now=float(self.events))

    def order(self) -> Trigger | None:
        trigger = step(self.machine)
        return trigger if isinstance(trigger, Trigger) else None

    def arrive(self, trigger: Trigger) -> None:
        if trigger.run_id not in self.arrived:
            self.arrived.add(trigger.run_id)
            self.in_queue.add(trigger.run_id)

    @precondition(lambda self: self.order() is not None)
    @rule()
    def sent_and_lost(self) -> None:
        assert self.order() == self.order()

    @precondition(lambda self: self.order() is not None)
    @rule()
    def arrived_and_answer_lost(self) -> None:
        trigger = self.order()
        assert trigger is not None
        self.arrive(trigger)

    @precondition(lambda self: self.order() is not None)
    @rule()
    def arrived_and_answered(self) -> None:
        trigger = self.order()
        assert trigger is not None
        self.arrive(trigger)
        self.machine.acknowledged(trigger.run_id, LATER)

    @precondition(lambda self: self.in_queue)
    @rule()
    def a_run_starts(self) -> None:
        self.in_queue.pop()
        self.uncovered.clear()

    def watched(self) -> Watch | None:
        next_step = self.machine.next_step(LATER)
        return next_step if isinstance(next_step, Watch) else None

    def look_at(self, watch: Watch) -> None:
        if watch.run_id in self.in_queue:
            self.machine.still_queued(watch.run_id)
        else:
            self.machine.left_queue(watch.run_id)

    @precondition(lambda self: self.watched() is not None)
    @rule()
    def looked_at(self) -> None:
        watch = self.watched()
        assert watch is not None
        self.machine.asked()
        self.look_at(watch)

    @precondition(lambda self: self.watched() is not None)
    @rule()
    def an_event_comes_before_the_answer(self) -> None:
        watch = self.watched()
        assert watch is not None
        self.machine.asked()
        queued = watch.run_id in self.in_queue
        if queued:
            self.a_run_starts()
        self.event()
        # Airflow had answered before the run started and the event came.
        if queued:
            self.machine.still_queued(watch.run_id)
        else:
            self.machine.left_queue(watch.run_id)

    @invariant()
    def at_most_one_is_queued(self) -> None:
        assert len(self.in_queue) <= 1

    @invariant()
    def nothing_landed_is_forgotten(self) -> None:
        if self.uncovered and not self.in_queue:
            assert self.machine.dirty


Observed.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestObserved = Observed.TestCase
