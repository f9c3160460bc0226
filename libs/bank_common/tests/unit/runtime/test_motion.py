from datetime import UTC, datetime, timedelta

import pytest

from bank_common.runtime.motion import (
    LONGEST_BUILD_SECONDS,
    UNKNOWN_BUILD_SECONDS,
    Rates,
    Waiting,
    captured,
    landed_not_loaded,
    loaded_not_built,
    not_judged,
)

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def waiting(seconds: float, count: int = 1, *, more: bool = False) -> Waiting:
    return Waiting("the oldest", NOW - timedelta(seconds=seconds), NOW, count, more)


def test_a_capture_moves_only_with_a_connector_and_tasks_that_run() -> None:
    assert captured("c", "RUNNING", ["RUNNING"]).moving
    for state, tasks in ((None, []), ("RUNNING", []), ("PAUSED", ["RUNNING"]), ("RUNNING", ["RUNNING", "FAILED"])):
        assert not captured("c", state, tasks).moving
    assert (
        captured("c", "RUNNING", ["FAILED"], reason="x").sentence == "the connector c is RUNNING, its task is FAILED. x"
    )


@pytest.mark.parametrize(
    ("seconds", "sweep", "up", "moving"),
    [
        (0, 60, None, True),
        (89, 60, None, True),
        (90, 60, None, True),
        (90.001, 60, None, False),
        (36, 5, None, False),
        (3600, 60, None, False),
        (3600, 3600, None, True),
        # The store came up a moment ago: what landed before it went down has not waited for anybody yet.
        (3600, 60, 5, True),
        (3600, 60, 90, True),
        (3600, 60, 91, False),
        (95, 60, 3600, False),
        # The store's clock went back between the two answers.
        (-5, 60, None, True),
    ],
)
def test_a_landed_segment_may_wait_for_the_sweep_and_the_margin(
    seconds: float, sweep: float, up: float | None, moving: bool
) -> None:
    motion = landed_not_loaded(waiting(seconds), sweep_seconds=sweep, up_seconds=up)
    assert motion.moving is moving
    assert motion.allowed_seconds == sweep + 30
    assert motion.waited_seconds == max(0, seconds)


def test_a_segment_may_wait_for_a_target_lag_that_is_longer_than_the_sweep() -> None:
    assert landed_not_loaded(waiting(330), sweep_seconds=60, target_lag_seconds=300).moving
    late = landed_not_loaded(waiting(331), sweep_seconds=60, target_lag_seconds=300)
    assert not late.moving
    assert "(target lag 300 s + 30 s)" in late.sentence
    assert "(sweep 60 s + 30 s)" in landed_not_loaded(waiting(91), sweep_seconds=60, target_lag_seconds=10).sentence


@pytest.mark.parametrize(
    ("seconds", "lag", "builds", "up", "moving"),
    [
        (0, 10, [], None, True),
        (10 + UNKNOWN_BUILD_SECONDS + 30, 10, [], None, True),
        (10 + UNKNOWN_BUILD_SECONDS + 31, 10, [], None, False),
        (52, 10, [12, 12, 12], None, True),
        (53, 10, [12, 12, 12], None, False),
        (42, 0, [12], None, True),
        (43, 0, [12], None, False),
        # One build that stood does not hide the next one for as long.
        (60, 10, [12, 12, 300, 12, 12], None, False),
        # However long builds took, there is an end.
        (LONGEST_BUILD_SECONDS + 40, 10, [99_999], None, True),
        (LONGEST_BUILD_SECONDS + 41, 10, [99_999], None, False),
        (3600, 10, [12], 52, True),
        (3600, 10, [12], 53, False),
    ],
)
def test_a_load_may_wait_for_the_target_lag_one_build_and_the_margin(
    seconds: float, lag: float, builds: list[float], up: float | None, moving: bool
) -> None:
    motion = loaded_not_built(waiting(seconds), target_lag_seconds=lag, build_seconds=builds, up_seconds=up)
    assert motion.moving is moving


def test_where_nothing_waits_it_moves_and_says_what_else_was_seen() -> None:
    load = landed_not_loaded(None, sweep_seconds=60, broken=["a gap"], seen=["load_raw is paused"])
    build = loaded_not_built(None, target_lag_seconds=10, build_seconds=[])
    assert (load.moving, load.sentence) == (True, "nothing waits. load_raw is paused")
    assert (build.moving, build.sentence) == (True, "nothing waits")


def test_a_lost_segment_is_red_at_once_though_nothing_waits() -> None:
    motion = landed_not_loaded(None, sweep_seconds=60, lost=["a/0: its last segment is gone"])
    assert (motion.moving, motion.sentence) == (False, "a/0: its last segment is gone")


def test_a_red_hop_names_the_oldest_and_what_was_seen() -> None:
    motion = landed_not_loaded(
        waiting(123, 250),
        sweep_seconds=60,
        broken=["a gap of bank.public.accounts/0 at 17."],
        seen=["load_raw is paused"],
    )
    assert motion.sentence == (
        "the oldest landed 123 s ago and is not loaded; it may take 90 s (sweep 60 s + 30 s), 250 segments in all. "
        "a gap of bank.public.accounts/0 at 17. load_raw is paused"
    )
    build = loaded_not_built(waiting(99), target_lag_seconds=10, build_seconds=[8.0], seen=["build_marts is paused"])
    assert build.sentence == (
        "the oldest waits for a build since 99 s; it may take 48 s (target lag 10 s + a build 8 s + 30 s), 1 load "
        "in all. build_marts is paused"
    )


@pytest.mark.parametrize(
    ("landed", "loaded", "said"),
    [
        (12.0, 7.0, "the backlog grows: 12.0 segments a second landed and 7.0 loaded in the last 60 s"),
        (2.0, 7.0, "the backlog shrinks: 2.0 segments a second landed and 7.0 loaded in the last 60 s"),
        (2.0, 2.0, "the backlog stays: 2.0 segments a second landed and 2.0 loaded in the last 60 s"),
        (12.0, 0.0, "nothing of these chains was loaded in the last 60 s"),
    ],
)
def test_a_backlog_is_named_with_the_rate_of_both(landed: float, loaded: float, said: str) -> None:
    late = landed_not_loaded(waiting(91, 1000, more=True), sweep_seconds=60, rates=Rates(landed, loaded, 60))
    assert not late.moving
    assert late.sentence.endswith(f"more than 1,000 segments in all. {said}")


@pytest.mark.parametrize(
    ("count", "more", "said"),
    [
        (1, False, "1 segment waits, the oldest for 4 s of 90 s"),
        (3, False, "3 segments wait, the oldest for 4 s of 90 s"),
        (1000, True, "more than 1,000 segments wait, the oldest for 4 s of 90 s"),
    ],
)
def test_what_is_under_way_is_counted(count: int, more: bool, said: str) -> None:
    assert landed_not_loaded(waiting(4, count, more=more), sweep_seconds=60).sentence == said


def test_what_could_not_be_looked_at_is_never_green() -> None:
    motion = not_judged("load", "the object store does not answer: ReadTimeoutError.")
    assert not motion.moving
    assert motion.sentence == ("it can't be said whether it moves. the object store does not answer: ReadTimeoutError")
