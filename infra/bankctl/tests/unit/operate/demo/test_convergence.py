"""Convergence ends when both sides are equal, when nothing moves, and with a crash."""

from collections.abc import Iterator
from typing import Any

import pytest

from bankctl.operate.demo.convergence import Convergence, Outcome, committed
from bankctl.operate.demo.pipeline_stages import Counts
from bankctl.verify.comparison import TABLES, Difference

SUMMARY: dict[str, Any] = {"changes": {"accounts": {"insert": 2, "update": 3}, "customers": {"delete": 1}}}
LEVEL = Counts(6, 6, 6, 6)
UNDER_WAY = Counts(6, 6, 4, 2)


class ManualClock:
    """Time passes only by waiting."""

    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


class ScriptedStages:
    """Gives the counts one after the other, then the last one for ever."""

    def __init__(self, *counts: Counts) -> None:
        self._counts: Iterator[Counts] = iter(counts)
        self._last = Counts()

    def sample(self) -> Counts:
        self._last = next(self._counts, self._last)
        return self._last


class FinishedGenerator:
    """A generator that has done its work."""

    def summary(self) -> dict[str, Any]:
        return SUMMARY


def _difference(*, equal: bool) -> Difference:
    difference = Difference(TABLES[0])
    difference.mart.only_here = 0 if equal else 1
    return difference


def _follow(stages: ScriptedStages, verdicts: list[bool], check: Any = lambda: None) -> tuple[Outcome, ManualClock]:
    clock = ManualClock()
    convergence = Convergence(
        stages,
        FinishedGenerator(),
        check=check,
        verify=lambda: [_difference(equal=verdicts.pop(0) if verdicts else False)],
        show=lambda _committed, _counts: None,
        clock=clock.read,
        pause=clock.wait,
        stall_seconds=60,
    )
    return convergence.follow(), clock


def test_level_stages_and_equal_sides_end_it_at_once() -> None:
    outcome, clock = _follow(ScriptedStages(UNDER_WAY, LEVEL), [True])
    assert not outcome.stalled
    assert clock.now < 3


def test_level_stages_alone_do_not() -> None:
    outcome, clock = _follow(ScriptedStages(LEVEL), [False, False, True])
    assert not outcome.stalled
    assert clock.now >= 15


def test_sides_that_stay_different_end_it_when_nothing_moves() -> None:
    outcome, clock = _follow(ScriptedStages(UNDER_WAY), [])
    assert outcome.stalled
    assert 60 <= clock.now < 80


def test_movement_gives_more_time() -> None:
    moving = [Counts(100, number, 0, 0) for number in range(200)]
    outcome, clock = _follow(ScriptedStages(*moving), [])
    assert outcome.stalled
    assert clock.now >= 60 + 199


def test_a_crash_ends_it() -> None:
    def died() -> None:
        raise RuntimeError("kafka died")

    with pytest.raises(RuntimeError, match="kafka died"):
        _follow(ScriptedStages(UNDER_WAY), [True], check=died)


def test_committed_changes_are_summed_over_tables_and_operations() -> None:
    assert committed(SUMMARY) == 6
