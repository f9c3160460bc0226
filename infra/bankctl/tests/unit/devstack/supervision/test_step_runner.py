import threading
from collections.abc import Callable

import pytest

from bankctl.devstack.supervision.step_runner import Cancelled, GraphStep, run


class Journal:
    def __init__(self) -> None:
        self.names: list[str] = []
        self._lock = threading.Lock()

    def step(self, name: str, *needs: str, work: Callable[[Cancelled], object] | None = None) -> GraphStep:
        def noted(cancelled: Cancelled) -> None:
            if work is not None:
                work(cancelled)
            with self._lock:
                self.names.append(name)

        return GraphStep(name, noted, needs)


def test_needs_come_first_and_unknown_needs_are_taken_as_done() -> None:
    journal = Journal()
    run([journal.step("c", "b", "elsewhere"), journal.step("b", "a"), journal.step("a")])
    assert journal.names == ["a", "b", "c"]


def test_steps_without_needs_run_side_by_side() -> None:
    barrier = threading.Barrier(2, timeout=10)
    journal = Journal()
    run(
        [
            journal.step("a", work=lambda _: barrier.wait()),
            journal.step("b", work=lambda _: barrier.wait()),
        ]
    )
    assert sorted(journal.names) == ["a", "b"]


def test_the_first_failure_is_raised_and_what_needs_it_never_begins() -> None:
    journal = Journal()

    def fail(_cancelled: Cancelled) -> None:
        raise ValueError("no disk")

    with pytest.raises(ValueError, match="no disk"):
        run([journal.step("bad", work=fail), journal.step("after", "bad")])
    assert journal.names == []


def test_running_steps_learn_that_another_one_failed() -> None:
    started = threading.Event()
    journal = Journal()

    def wait_for_the_end(cancelled: Cancelled) -> None:
        started.set()
        assert cancelled.pause(10), "nobody cancelled"

    def fail(_cancelled: Cancelled) -> None:
        assert started.wait(10)
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        run([journal.step("waiting", work=wait_for_the_end), journal.step("bad", work=fail)])
    assert journal.names == ["waiting"]


def test_a_failure_is_said_while_what_is_under_way_still_runs() -> None:
    said = threading.Event()
    names: list[str] = []

    def download(_cancelled: Cancelled) -> None:
        assert said.wait(10), "the failure was kept until the download's end"

    def fail(_cancelled: Cancelled) -> None:
        raise ValueError("boom")

    def note(step: GraphStep, error: BaseException) -> None:
        names.append(f"{step.name}: {error}")
        said.set()

    with pytest.raises(ValueError, match="boom"):
        run([GraphStep("download", download), GraphStep("bad", fail)], failed=note)
    assert names == ["bad: boom"]


def test_a_circle_of_needs_is_an_error() -> None:
    journal = Journal()
    with pytest.raises(ValueError, match="cycle"):
        run([journal.step("a", "b"), journal.step("b", "a")])
