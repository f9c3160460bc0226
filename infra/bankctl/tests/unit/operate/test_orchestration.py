from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bankctl.operate.orchestration import failed_last, first_line, lengths, long_runs, pool_seen, scheduler_seen

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def run(number: int, state: str, seconds: float | None = 1, **more: Any) -> dict[str, Any]:
    began = None if seconds is None else (NOW - timedelta(seconds=seconds)).isoformat()
    return {"dag_run_id": f"run {number}", "state": state, "queued_at": began, "start_date": None, **more}


@pytest.mark.parametrize(
    ("slots", "open_slots", "said"),
    [
        (0, 0, ["the pool default_pool has no slots"]),
        (128, 0, ["all 128 slots of the pool default_pool are taken"]),
        (128, 127, []),
        (-1, -1, []),  # without a bound
    ],
)
def test_a_pool_that_takes_no_task_is_named(slots: int, open_slots: int, said: list[str]) -> None:
    assert pool_seen({"name": "default_pool", "slots": slots, "open_slots": open_slots}) == said


@pytest.mark.parametrize(
    ("health", "said"),
    [
        ({"scheduler": {"status": "healthy"}}, []),
        ({"scheduler": {"status": "unhealthy"}}, ["the scheduler's heartbeat is unhealthy"]),
        ({}, ["the scheduler's heartbeat is None"]),
    ],
)
def test_the_schedulers_heartbeat_is_named_when_it_is_not_healthy(health: dict[str, Any], said: list[str]) -> None:
    assert scheduler_seen(health) == said


@pytest.mark.parametrize(
    ("states", "failed"),
    [
        ([], None),
        (["queued", "running"], None),
        (["queued", "running", "failed", "success"], "run 2"),
        (["running", "success", "failed"], None),
        (["failed"], "run 0"),
    ],
)
def test_the_run_that_ended_last_counts(states: list[str], failed: str | None) -> None:
    assert failed_last([run(number, state) for number, state in enumerate(states)]) == failed


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([run(0, "queued", 5), run(1, "running", 90)], ["a run of load_raw is running for 90 s"]),
        ([run(0, "queued", 300)], ["a run of load_raw is queued for 300 s"]),
        ([run(0, "queued", 59), run(1, "success", 900)], []),
        ([run(0, "queued", None)], []),
        ([], []),
    ],
)
def test_a_run_that_does_not_end_is_named(runs: list[dict[str, Any]], said: list[str]) -> None:
    assert long_runs("load_raw", runs, NOW) == said


def test_a_tasks_length_counts_from_its_scheduling() -> None:
    began, ended = NOW.isoformat(), (NOW + timedelta(seconds=7)).isoformat()
    tasks = [
        {"scheduled_when": began, "start_date": ended, "end_date": ended},
        {"scheduled_when": None, "start_date": began, "end_date": ended},
        {"scheduled_when": None, "start_date": None, "end_date": ended},
    ]
    assert list(lengths(tasks)) == [7, 7]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], None),
        (["a plain line"], None),
        ([{"event": "x", "error_detail": None}], None),
        (
            [
                {"event": "first", "error_detail": [{"exc_type": "Early", "exc_value": "no"}]},
                {"event": "Task failed", "error_detail": [{"exc_type": "LoadError", "exc_value": "A gap.\nmore"}]},
                {"event": "end"},
            ],
            "LoadError: A gap.",
        ),
        ([{"error_detail": [{"exc_type": "E", "exc_value": "x" * 999}]}], "E: " + "x" * 297),
    ],
)
def test_the_first_line_of_a_tasks_error(content: list[Any], said: str | None) -> None:
    assert first_line(content) == said
