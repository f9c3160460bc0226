"""The state machine alone, against a model of what an observer may ever see (I15)."""

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bank_common.landing import SegmentKey
from event_receiver.events import Hint
from event_receiver.wakeup import MAX_HINTS, REMEMBERED_KEYS, Rest, Trigger, WakeUp, Watch


def hint(number: int) -> Hint:
    return Hint(SegmentKey("bank.public.accounts", 0, number), f"00-{number:032x}-{1:016x}-01")


def started() -> WakeUp:
    """A machine whose first, unconditional wake-up is over."""
    machine = WakeUp("p")
    order = machine.next_step()
    assert isinstance(order, Trigger)
    machine.acknowledged(order.run_id)
    machine.left_queue(order.run_id)
    return machine


def test_it_starts_dirty() -> None:
    machine = WakeUp("p")
    assert machine.dirty
    assert machine.next_step() == Trigger("wake__p__1", (), ())


def test_nothing_to_do_is_rest() -> None:
    machine = started()
    assert machine.next_step() == Rest()
    machine.mark([])
    assert machine.next_step() == Rest()
    assert not machine.dirty


def test_a_lost_answer_gives_the_same_order_again() -> None:
    machine = started()
    machine.mark([hint(1)])
    order = machine.next_step()
    machine.mark([hint(2)])
    assert machine.next_step() == order == Trigger("wake__p__2", (str(hint(1).key),), (hint(1).traceparent or "",))
    assert machine.dirty


def test_events_during_a_wake_up_owe_another_one() -> None:
    machine = started()
    machine.mark([hint(1)])
    order = machine.next_step()
    assert isinstance(order, Trigger)
    machine.mark([hint(2)])
    machine.acknowledged(order.run_id)
    assert machine.next_step() == Watch(order.run_id)
    machine.left_queue(order.run_id)
    following = machine.next_step()
    assert isinstance(following, Trigger)
    assert (following.run_id, following.keys) == ("wake__p__3", (str(hint(2).key),))


def test_hints_are_few_and_each_once() -> None:
    machine = started()
    machine.mark([hint(n // 2) for n in range(200)])
    order = machine.next_step()
    assert isinstance(order, Trigger)
    assert order.keys == tuple(str(hint(n).key) for n in range(MAX_HINTS))


def over(machine: WakeUp) -> None:
    order = machine.next_step()
    assert isinstance(order, Trigger)
    machine.acknowledged(order.run_id)
    machine.left_queue(order.run_id)


def test_a_segments_second_event_wakes_nobody() -> None:
    machine = started()
    machine.mark([hint(1)])
    over(machine)
    machine.mark([hint(1)])
    assert machine.next_step() == Rest()
    machine.mark([hint(1), hint(2)])
    order = machine.next_step()
    assert isinstance(order, Trigger)
    assert order.keys == (str(hint(2).key),)


def test_a_segment_forgotten_long_ago_wakes_again() -> None:
    machine = started()
    machine.mark([hint(n) for n in range(REMEMBERED_KEYS + 1)])
    over(machine)
    machine.mark([hint(REMEMBERED_KEYS)])
    assert machine.next_step() == Rest()
    machine.mark([hint(0)])
    assert isinstance(machine.next_step(), Trigger)


class Observed(RuleBasedStateMachine):
    """Events, sendings, lost answers and run states in any order, and what must hold throughout."""

    @initialize()
    def begin(self) -> None:
        self.machine = WakeUp("p")
        self.in_queue: set[str] = set()
        self.arrived: set[str] = set()
        # A landed segment is covered by a run that leaves the queue after it landed.
        self.uncovered = {"before the start"}
        self.events = 0

    @rule()
    def event(self) -> None:
        self.events += 1
        self.uncovered.add(f"event {self.events}")
        self.machine.mark([hint(self.events)])

    @precondition(lambda self: self.events)
    @rule()
    def repeated_event(self) -> None:
        self.machine.mark([hint(self.events)])

    def order(self) -> Trigger | None:
        step = self.machine.next_step()
        return step if isinstance(step, Trigger) else None

    def arrive(self, order: Trigger) -> None:
        if order.run_id not in self.arrived:
            self.arrived.add(order.run_id)
            self.in_queue.add(order.run_id)

    @precondition(lambda self: self.order() is not None)
    @rule()
    def sent_and_lost(self) -> None:
        assert self.order() == self.order()

    @precondition(lambda self: self.order() is not None)
    @rule()
    def arrived_and_answer_lost(self) -> None:
        order = self.order()
        assert order is not None
        self.arrive(order)

    @precondition(lambda self: self.order() is not None)
    @rule()
    def arrived_and_answered(self) -> None:
        order = self.order()
        assert order is not None
        self.arrive(order)
        self.machine.acknowledged(order.run_id)

    @precondition(lambda self: self.in_queue)
    @rule()
    def a_run_starts(self) -> None:
        self.in_queue.pop()
        self.uncovered.clear()

    @precondition(lambda self: isinstance(self.machine.next_step(), Watch))
    @rule()
    def looked_at(self) -> None:
        step = self.machine.next_step()
        assert isinstance(step, Watch)
        if step.run_id not in self.in_queue:
            self.machine.left_queue(step.run_id)

    @invariant()
    def at_most_one_is_queued(self) -> None:
        assert len(self.in_queue) <= 1

    @invariant()
    def nothing_landed_is_forgotten(self) -> None:
        if self.uncovered and not self.in_queue:
            assert self.machine.dirty


Observed.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestObserved = Observed.TestCase
