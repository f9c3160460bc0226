from datetime import UTC, datetime, timedelta

import pytest

from bank_common.landing.segments import TopicPartition
from bank_common.runtime.motion import Waiting
from bankctl.operate.backlog import Backlog, Listed, Listing
from bankctl.operate.motion import Look, judged
from bankctl.operate.orchestration import DagView
from bankctl.provision.connect_api import ConnectorStatus

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
QUIET = {"load_raw": DagView((), ()), "build_marts": DagView((), (8.0,))}
NO_AIRFLOW = "Airflow does not answer: ConnectError"
NO_STORE = "the object store does not answer: ReadTimeoutError"
NO_WAREHOUSE = "the warehouse does not answer"
RUNS = ConnectorStatus("bank-postgres", "RUNNING", ("RUNNING",))
CHAIN = TopicPartition("bank.public.accounts", 0)


def landing(seconds: float | None) -> Backlog:
    if seconds is None:
        return Backlog(None, (), (), {}, NOW)
    at = NOW - timedelta(seconds=seconds)
    behind = {CHAIN: Listing(CHAIN, [Listed("segment", at)])}
    return Backlog(Waiting("segment", at, NOW, 1), (), (), behind, NOW)


def pending_build(seconds: float) -> Waiting:
    return Waiting("load 7", NOW - timedelta(seconds=seconds), NOW, 1)


@pytest.mark.parametrize(
    ("look", "moving"),
    [
        (Look(landing(None), None, QUIET, RUNS), (True, True)),
        (Look(landing(90), pending_build(48), QUIET, RUNS), (True, True)),
        (Look(landing(91), pending_build(49), QUIET, RUNS), (False, False)),
        (Look(landing(91), None, QUIET, RUNS), (False, True)),
        (Look(landing(3600), pending_build(3600), QUIET, RUNS, up_seconds=10), (True, True)),
        # What does not answer makes red what it is needed for, though nothing may wait.
        (Look(NO_STORE, None, QUIET, RUNS), (False, True)),
        (Look(NO_WAREHOUSE, NO_WAREHOUSE, QUIET, RUNS), (False, False)),
        (Look(landing(None), None, NO_AIRFLOW, RUNS), (False, False)),
        (Look(NO_WAREHOUSE, NO_WAREHOUSE, NO_AIRFLOW, RUNS), (False, False)),
    ],
)
def test_each_hop_is_judged_by_what_it_needs(look: Look, moving: tuple[bool, bool]) -> None:
    _, load, build = judged(look, 60, 10)
    assert (load.moving, build.moving) == moving


def test_a_load_may_wait_for_a_target_lag_that_is_longer_than_the_sweep() -> None:
    waits = Look(landing(120), None, QUIET, RUNS)
    assert judged(waits, 60, 300)[1].moving
    assert not judged(waits, 60, 10)[1].moving


def test_what_does_not_answer_is_named() -> None:
    _, load, build = judged(Look(NO_STORE, None, NO_AIRFLOW, RUNS), 60, 10)
    assert NO_STORE in load.sentence
    assert NO_AIRFLOW in build.sentence


def test_a_late_hop_names_its_own_dag_and_the_rates() -> None:
    views = {
        "load_raw": DagView(("the DAG load_raw is paused",), ()),
        "build_marts": DagView(("the DAG build_marts is paused",), ()),
    }
    _, load, build = judged(Look(landing(100), pending_build(200), views, RUNS, {CHAIN: 0}), 60, 10)
    assert load.sentence.endswith("nothing of these chains was loaded in the last 60 s. the DAG load_raw is paused")
    assert build.sentence.endswith("the DAG build_marts is paused")


@pytest.mark.parametrize(
    ("connector", "said"),
    [
        (RUNS, None),
        (None, "does not know the connector bank-postgres"),
        ("Kafka Connect at http://x does not answer", "does not answer"),
        (ConnectorStatus("c", "RUNNING", ("FAILED",), "outer\nCaused by: java.Inner: no slot"), "java.Inner: no slot"),
        (ConnectorStatus("c", "RUNNING", ()), "it has no task"),
        (ConnectorStatus("c", "RUNNING", ("RUNNING", "UNASSIGNED")), "its task is UNASSIGNED"),
        (ConnectorStatus("c", "PAUSED", ("PAUSED",)), "the connector c is PAUSED"),
    ],
)
def test_a_capture_whose_task_does_not_run_is_red(connector: ConnectorStatus | str | None, said: str | None) -> None:
    capture, load, build = judged(Look(landing(None), None, QUIET, connector), 60, 10)
    assert load.moving
    assert build.moving
    assert capture.moving is (said is None)
    assert said is None or said in capture.sentence
