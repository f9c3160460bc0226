import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from receiver_testing.fakes import InMemoryAirflow, ManualClock, fine, paused, unreachable, untold

from bank_common.landing.segments import SegmentKey
from bank_common.runtime import tracing
from bank_common.runtime.logging import get_logger
from bank_common.runtime.service import Readiness
from event_receiver.metrics import ReceiverMetrics
from event_receiver.model.events import Hint
from event_receiver.model.wakeup import Pacing, WakeUp
from event_receiver.worker import DEPENDENCY, Pace, WakeUpWorker


class WorkerSetup:
    """A worker with an Airflow in memory."""

    def __init__(self, target_lag_seconds: float = 0.0) -> None:
        self.clock = ManualClock()
        self.airflow = InMemoryAirflow(self.clock)
        self.readiness = Readiness([DEPENDENCY])
        self.registry = CollectorRegistry()
        self.worker = WakeUpWorker(
            WakeUp("p", Pacing(target_lag_seconds=target_lag_seconds)),
            self.airflow,
            self.clock,
            Pace(),
            self.readiness,
            ReceiverMetrics(self.registry),
            get_logger("test"),
        )

    def mark(self, number: int) -> None:
        self.worker.mark([Hint(SegmentKey("bank.public.accounts", 0, number), None)])

    @property
    def runs(self) -> list[str]:
        return list(self.airflow.confs)

    def metric(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(name, labels)
        assert value is not None
        return value

    @property
    def keys(self) -> list[str]:
        return [key for sent in self.airflow.confs.values() for key in sent[0]["keys"]]


Test = Callable[[WorkerSetup], Coroutine[Any, Any, None]]


def in_setup(test: Test, target_lag_seconds: float = 0.0) -> Callable[[], None]:
    """Run a test as a coroutine beside a running worker."""

    def wrapped() -> None:
        async def body() -> None:
            setup = WorkerSetup(target_lag_seconds)
            task = asyncio.create_task(setup.worker.run())
            try:
                await test(setup)
                assert not task.done()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        asyncio.run(body())

    wrapped.__name__ = test.__name__
    return wrapped


def at_ten_seconds(test: Test) -> Callable[[], None]:
    """A worker with a target lag of 10 s."""
    return in_setup(test, 10.0)


@in_setup
async def test_a_start_wakes_once_and_then_rests(setup: WorkerSetup) -> None:
    await setup.clock.turn(60)
    assert setup.runs == ["wake__p__1"]
    assert setup.airflow.finished == setup.runs
    assert setup.readiness.report() == {}
    assert 2 <= setup.airflow.checks <= 5


@in_setup
async def test_a_thousand_events_at_once_are_two_wake_ups_at_most(setup: WorkerSetup) -> None:
    await setup.clock.turn(5)
    for number in range(1000):
        setup.mark(number)
    await setup.clock.turn(20)
    assert len(setup.runs) == 2
    assert len(setup.keys) == 20


@in_setup
async def test_the_segments_of_one_transaction_are_one_wake_up(setup: WorkerSetup) -> None:
    await setup.clock.turn(5)
    for number in (1, 2):
        setup.mark(number)
        for _ in range(50):
            await asyncio.sleep(0)
    await setup.clock.turn(20)
    assert setup.runs == ["wake__p__1", "wake__p__2"]
    assert len(setup.keys) == 2


@in_setup
async def test_a_steady_stream_is_one_cycle_after_the_other(setup: WorkerSetup) -> None:
    for number in range(120):
        setup.mark(number)
        await setup.clock.turn(0.25)
    await setup.clock.turn(10)
    assert setup.airflow.most_queued <= 1
    # A load of 2 s and a build of 3 s after the other, and one more for the last events.
    assert 5 <= len(setup.runs) <= 7
    assert setup.airflow.finished == setup.runs


@in_setup
async def test_lost_answers_make_no_second_run_and_resend_the_same(setup: WorkerSetup) -> None:
    await setup.clock.turn(5)
    setup.airflow.after = [unreachable, unreachable, unreachable]
    setup.mark(1)
    await setup.clock.turn(1)
    setup.mark(2)
    await setup.clock.turn(30)
    assert len(setup.airflow.confs["wake__p__2"]) == 4
    assert len({str(conf) for conf in setup.airflow.confs["wake__p__2"]}) == 1
    assert setup.runs == ["wake__p__1", "wake__p__2", "wake__p__3"]
    assert setup.keys == [str(SegmentKey("bank.public.accounts", 0, number)) for number in (1, 2)]


@in_setup
async def test_an_airflow_that_is_away_is_waited_for_with_growing_pauses(setup: WorkerSetup) -> None:
    await setup.clock.turn(5)
    setup.airflow.before = [unreachable] * 8
    setup.clock.slept.clear()
    setup.mark(1)
    await setup.clock.turn(40)
    assert DEPENDENCY in setup.readiness.report()
    await setup.clock.turn(100)
    assert setup.clock.slept[:8] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert setup.runs == ["wake__p__1", "wake__p__2"]
    assert setup.readiness.report() == {}


@in_setup
async def test_an_unknown_state_while_waiting_is_asked_again(setup: WorkerSetup) -> None:
    setup.airflow.before = [fine, fine, unreachable, unreachable, fine]
    await setup.clock.turn(1)
    setup.mark(1)
    await setup.clock.turn(30)
    assert setup.runs == ["wake__p__1", "wake__p__2"]


@in_setup
async def test_a_refusal_is_retried_slowly_and_told_with_its_advice(setup: WorkerSetup) -> None:
    setup.airflow.before = [fine, paused, paused, paused]
    await setup.clock.turn(80)
    assert setup.runs == []
    assert setup.clock.slept == [30.0] * 3
    assert setup.readiness.report() == {DEPENDENCY: "The DAG load_raw is paused. Unpause it."}
    await setup.clock.turn(20)
    assert setup.runs == ["wake__p__1"]
    assert setup.readiness.report() == {}


@in_setup
async def test_a_run_that_stays_queued_makes_it_ask_why(setup: WorkerSetup) -> None:
    await setup.clock.turn(5)
    setup.airflow.scheduler.queue_seconds = 1e9
    setup.mark(1)
    await setup.clock.turn(25)
    checks = setup.airflow.checks
    assert setup.readiness.report() == {}
    setup.airflow.check = _refuse  # type: ignore[method-assign]
    await setup.clock.turn(100)
    assert checks == 0 or setup.airflow.checks == checks
    assert "paused" in setup.readiness.report()[DEPENDENCY]
    assert setup.runs == ["wake__p__1", "wake__p__2"]


async def _refuse() -> None:
    paused()


@at_ten_seconds
async def test_a_change_waits_as_long_as_the_target_lag_allows(setup: WorkerSetup) -> None:
    await setup.clock.turn(20)
    setup.mark(1)
    await setup.clock.turn(4)
    # A load of 2 s, half a second, a build of 3 s: 4.5 s are left.
    assert setup.runs == ["wake__p__1"]
    assert 0 < setup.metric("bank_receiver_wait_seconds") <= 4.5
    await setup.clock.turn(1)
    assert setup.runs == ["wake__p__1", "wake__p__2"]
    assert setup.metric("bank_receiver_wait_seconds") == 0
    assert setup.metric("bank_receiver_load_seconds") == 2
    assert setup.metric("bank_receiver_build_seconds") == 3
    assert setup.metric("bank_receiver_cycles_total", before="over") == 2
    assert setup.airflow.looks == 3


@at_ten_seconds
async def test_the_dag_is_checked_while_changes_wait(setup: WorkerSetup) -> None:
    setup.airflow.scheduler.build_seconds = 1e9
    await setup.clock.turn(5)
    checks = setup.airflow.checks
    for number in range(200):
        setup.mark(number)
        await setup.clock.turn(0.25)
    # Looks at the cycle are answers too.
    assert setup.airflow.looks + setup.airflow.checks - checks >= 10


@in_setup
async def test_an_airflow_that_does_not_tell_of_its_runs_is_woken_all_the_same(setup: WorkerSetup) -> None:
    await setup.clock.turn(15)
    setup.airflow.before = [untold]
    setup.mark(1)
    await setup.clock.turn(2)
    assert setup.runs == ["wake__p__1", "wake__p__2"]
    assert setup.metric("bank_receiver_cycles_total", before="unseen") == 1
    assert setup.readiness.report() == {}


def test_what_is_resent_carries_the_same_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    traces = (f"00-{number:032x}-{1:016x}-01" for number in count(1))
    monkeypatch.setattr(tracing, "current_traceparent", lambda: next(traces))

    @in_setup
    async def body(setup: WorkerSetup) -> None:
        setup.airflow.after = [unreachable, unreachable]
        await setup.clock.turn(20)
        assert len(setup.airflow.confs["wake__p__1"]) == 3
        assert {conf["traceparent"] for conf in setup.airflow.confs["wake__p__1"]} == {f"00-{1:032x}-{1:016x}-01"}

    body()


def test_the_worker_ends_only_when_cancelled() -> None:
    async def body() -> None:
        setup = WorkerSetup()
        task: Awaitable[None] = asyncio.create_task(setup.worker.run())
        await setup.clock.turn(1)
        task.cancel()  # type: ignore[attr-defined]
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(body())
