"""A scheduler stands still when nothing was seen to change for long enough, and only then."""

from bank_dags.scheduling.stillness import (
    FIRST_HEARTBEAT_SECONDS,
    HEARTBEAT_SECONDS,
    LONGEST_STEP_SECONDS,
    QUEUED_SECONDS,
    Look,
    Stillness,
)

STEP = 3.0


def _looks(stillness: Stillness, seconds: float, heartbeat: object = "t1", queued=(), running: int = 0) -> None:
    for _ in range(int(seconds / STEP)):
        stillness.seen(Look(heartbeat, queued, running), STEP)


def test_a_heartbeat_that_stands_is_told() -> None:
    stillness = Stillness(slots=4)
    _looks(stillness, HEARTBEAT_SECONDS)
    assert stillness.heart_stopped is None
    _looks(stillness, 2 * STEP)
    assert "no heartbeat for 20 s" in str(stillness.heart_stopped)


def test_each_new_heartbeat_starts_the_count_anew() -> None:
    stillness = Stillness(slots=4)
    for beat in range(20):
        _looks(stillness, HEARTBEAT_SECONDS - STEP, heartbeat=beat)
        assert stillness.heart_stopped is None


def test_a_start_may_take_longer_than_a_heartbeat() -> None:
    stillness = Stillness(slots=4)
    for _ in range(int(FIRST_HEARTBEAT_SECONDS / STEP) - 1):
        stillness.seen(None, STEP)
    assert stillness.heart_stopped is None
    stillness.seen(None, STEP)
    assert stillness.heart_stopped is not None


def test_a_machine_that_stood_still_blames_nobody() -> None:
    stillness = Stillness(slots=4)
    _looks(stillness, STEP, queued=["a/1"])
    for _ in range(3):  # three freezes of a minute, with one look after each
        stillness.seen(Look("t1", ["a/1"], 0), 60.0)
    assert 3 * LONGEST_STEP_SECONDS < HEARTBEAT_SECONDS
    assert stillness.heart_stopped is None
    assert stillness.tasks_stuck is None


def test_a_task_that_stays_queued_beside_a_free_slot_is_told() -> None:
    stillness = Stillness(slots=2)
    _looks(stillness, QUEUED_SECONDS, queued=["a/1"], running=1)
    assert stillness.tasks_stuck is None
    _looks(stillness, 2 * STEP, queued=["a/1"], running=1)
    assert "1 queued for 20 s" in str(stillness.tasks_stuck)


def test_a_task_that_waits_for_a_slot_is_not() -> None:
    stillness = Stillness(slots=2)
    _looks(stillness, 10 * QUEUED_SECONDS, queued=["a/1"], running=2)
    assert stillness.tasks_stuck is None


def test_tasks_that_come_and_go_are_not() -> None:
    stillness = Stillness(slots=2)
    for attempt in range(40):
        _looks(stillness, QUEUED_SECONDS - STEP, queued=[f"a/{attempt}"])
    assert stillness.tasks_stuck is None


def test_forgiven_tasks_have_their_whole_time_again() -> None:
    stillness = Stillness(slots=2)
    _looks(stillness, 2 * QUEUED_SECONDS, queued=["a/1"])
    stillness.forgive_queued()
    assert stillness.tasks_stuck is None
    _looks(stillness, QUEUED_SECONDS, queued=["a/1"])
    assert stillness.tasks_stuck is None
