"""Outcomes that a task tells Airflow, and the environment of dbt."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loading_testing.memory import MemoryLanding, MemoryWarehouse, landed

from bank_common.runtime.settings import ObjectStoreSettings
from bank_dags.query_tag import QueryTag
from bank_dags.settings import BankDagsSettings, dbt_variables
from bank_dags.tasks import LoadOutcome, load_raw, traceparent_of

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("segments", "pending", "skipped"),
    [(0, False, True), (0, True, False), (3, False, False), (3, True, False)],
)
def test_a_load_is_skipped_only_when_nothing_was_loaded_and_no_build_is_pending(
    segments: int, pending: bool, skipped: bool
) -> None:
    assert LoadOutcome(segments, segments, 4, pending, None).did_nothing is skipped


def test_an_event_carries_hints_and_nothing_empty() -> None:
    assert LoadOutcome(1, 2, 4, True, TRACEPARENT).event_extra() == {"load_id": 4, "traceparent": TRACEPARENT}
    assert LoadOutcome(1, 2, 4, True, None).event_extra() == {"load_id": 4}


@pytest.mark.parametrize(
    ("conf", "expected"),
    [
        ({"traceparent": TRACEPARENT, "keys": ["x"]}, TRACEPARENT),
        (None, None),
        ({}, None),
        ({"traceparent": 5}, None),
        ({"traceparent": "x" * 1000}, None),
    ],
)
def test_a_runs_conf_is_a_hint_that_may_be_anything(conf: dict | None, expected: str | None) -> None:
    assert traceparent_of(conf) == expected


def test_the_query_tag_is_json_with_run_and_trace() -> None:
    assert json.loads(QueryTag("load_raw", "wake__1__2", TRACEPARENT).text()) == {
        "app": "bank",
        "dag": "load_raw",
        "run": "wake__1__2",
        "traceparent": TRACEPARENT,
    }
    assert "traceparent" not in json.loads(QueryTag("load_raw", "r").text())


def test_dbt_logs_in_as_its_own_user_when_it_has_one() -> None:
    settings = BankDagsSettings(
        store=ObjectStoreSettings.model_validate({"endpoint": "http://x", "access_key": "a", "secret_key": "b"}),
        state_dir=Path("/s"),
        dbt_executable=Path("/dbt"),
        dbt_project_dir=Path("/p"),
        dbt_user="BANK_DBT",
    )
    variables = dbt_variables(settings)
    assert variables["SNOWFLAKE_USER"] == "BANK_DBT"
    assert "SNOWFLAKE_ROLE" not in variables
    assert variables == dbt_variables(settings), "what differs between builds costs dbt its partial parse"
    assert json.loads(variables["DBT_QUERY_TAG"])["dag"] == "build_marts"


@pytest.mark.parametrize(("sweep", "target_lag", "age", "segments"), [
    (True, 600, 0, 0),
    (True, 600, 300, 0),
    (True, 600, 700, 1),
    (True, 0, 0, 0),
    (True, 0, 60, 1),
    (False, 600, 0, 1),
    (False, 0, 0, 1),
])  # fmt: skip
def test_only_a_sweep_leaves_what_has_just_landed_to_its_wake_up(
    sweep: bool, target_lag: int, age: int, segments: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = MemoryLanding([landed("bank.public.accounts", 0, 0, 5, rows=1)])
    monkeypatch.setenv("BANK_DAGS_TARGET_LAG_SECONDS", str(target_lag))
    monkeypatch.setattr("bank_dags.tasks.snowflake_settings", lambda: None)
    monkeypatch.setattr("bank_dags.adapters.snowflake.session.connect", lambda *_: nullcontext())
    monkeypatch.setattr("bank_dags.adapters.snowflake.raw.SnowflakeWarehouse", lambda _: MemoryWarehouse())
    monkeypatch.setattr("bank_dags.adapters.landing.S3Landing", lambda *_: landing)
    landing.landed_at = datetime.now(UTC) - timedelta(seconds=age)
    assert load_raw("run", None, sweep=sweep).segments == segments
