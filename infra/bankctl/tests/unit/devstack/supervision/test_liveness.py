import pytest

from bankctl.devstack.supervision.liveness import (
    FAILURES,
    GAP_SECONDS,
    LONGEST_PAUSE_SECONDS,
    STEADY_SECONDS,
    Backoff,
    Liveness,
)


def answered_at(now: float) -> Liveness:
    liveness = Liveness(ready_seconds=90, hung_seconds=30, started=0)
    liveness.answered(now)
    return liveness


def test_one_that_answered_is_hung_after_its_bound_and_so_many_failures() -> None:
    liveness = answered_at(100)
    for now in (105, 110, 115, 120, 125, 130):
        liveness.failed(now)
        assert not liveness.hung(now)
        assert not liveness.answers
    liveness.failed(135)
    assert liveness.hung(135)


def test_time_alone_is_not_enough() -> None:
    liveness = answered_at(100)
    for now in (105, 120, 135):
        liveness.failed(now)
    assert liveness.hung_seconds <= 135 - 105
    assert FAILURES == 4
    assert not liveness.hung(135)
    liveness.failed(140)
    assert liveness.hung(140)


def test_an_answer_between_begins_anew() -> None:
    liveness = answered_at(100)
    for now in (105, 110, 115, 120, 125, 130):
        liveness.failed(now)
    liveness.answered(134)
    assert liveness.answers
    for now in (135, 140, 145, 150):
        liveness.failed(now)
    assert not liveness.hung(150)


def test_probes_that_are_far_apart_say_nothing_of_the_time_between() -> None:
    """The supervisor was stopped, or its machine suspended, for an hour."""
    liveness = answered_at(100)
    for now in (105, 110, 115):
        liveness.failed(now)
    later = 115 + 3600
    liveness.failed(later)
    assert not liveness.hung(later)
    for step in (1, 2, 3):
        liveness.failed(later + step * GAP_SECONDS / 2)
    assert liveness.hung(later + 1.5 * GAP_SECONDS)


def test_one_that_starts_may_take_its_time() -> None:
    liveness = Liveness(ready_seconds=90, hung_seconds=30, started=0)
    for now in range(5, 90, 5):
        liveness.failed(now)
        assert liveness.starting
        assert not liveness.hung(now)
    liveness.failed(90)
    assert liveness.hung(90)


def test_what_is_excused_does_not_count() -> None:
    liveness = answered_at(0)
    for now in (5, 10, 15, 20, 25):
        liveness.failed(now)
    liveness.excuse()
    for now in (30, 35, 40, 45):
        liveness.failed(now)
    assert not liveness.hung(45)


def test_well_again_means_answering_for_a_while_without_a_break() -> None:
    liveness = answered_at(0)
    liveness.failed(5)
    liveness.answered(10)
    assert not liveness.steady(STEADY_SECONDS + 5)
    assert liveness.steady(STEADY_SECONDS + 10)
    liveness.failed(STEADY_SECONDS + 11)
    assert not liveness.steady(STEADY_SECONDS + 12)


def test_starts_are_at_once_then_further_and_further_apart_but_never_end() -> None:
    backoff, now, pauses = Backoff(), 0.0, []
    for _ in range(12):
        assert backoff.due(now)
        backoff.started(now)
        pause = next(seconds for seconds in range(1, 100) if backoff.due(now + seconds))
        pauses.append(pause)
        now += pause
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(pauses[6:]) == {LONGEST_PAUSE_SECONDS}
    backoff.well()
    assert backoff.due(now - 1000)
    assert backoff.starts == 0


@pytest.mark.parametrize("starts", [0, 1, 2000])
def test_any_number_of_starts_has_a_pause(starts: int) -> None:
    backoff = Backoff()
    for _ in range(starts):
        backoff.started(0.0)
    assert backoff.due(LONGEST_PAUSE_SECONDS)
