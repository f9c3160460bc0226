from datetime import UTC, datetime, timedelta

import pytest

from bank_common.landing import TopicPartition
from bank_common.motion import Waiting
from bankctl.inspection.backlog import Backlog, Listed, Listing
from bankctl.inspection.motion import Look, judged
from bankctl.inspection.orchestration import DagView

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
QUIET = {"load_raw": DagView((), ()), "build_marts": DagView((), (8.0,))}
NO_AIRFLOW = "Airflow does not answer: ConnectError"
NO_STORE = "the object store does not answer: ReadTimeoutError"
NO_WAREHOUSE = "the warehouse does not answer"
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
        (Look(landing(None), None, QUIET), (True, True)),
        (Look(landing(90), pending_build(48), QUIET), (True, True)),
        (Look(landing(91), pending_build(49), QUIET), (False, False)),
        (Look(landing(91), None, QUIET), (False, True)),
        (Look(landing(3600), pending_build(3600), QUIET, up_seconds=10), (True, True)),
        # What does not answer makes red what it is needed for, though nothing may wait.
        (Look(NO_STORE, None, QUIET), (False, True)),
        (Look(NO_WAREHOUSE, NO_WAREHOUSE, QUIET), (False, False)),
        (Look(landing(None), None, NO_AIRFLOW), (False, False)),
        (Look(NO_WAREHOUSE, NO_WAREHOUSE, NO_AIRFLOW), (False, False)),
    ],
)
def test_each_hop_is_judged_by_what_it_needs(look: Look, moving: tuple[bool, bool]) -> None:
    load, build = judged(look, 60, 10)
    assert (load.moving, build.moving) == moving


def test_what_does_not_answer_is_named() -> None:
    load, build = judged(Look(NO_STORE, None, NO_AIRFLOW), 60, 10)
    assert NO_STORE in load.sentence
    assert NO_AIRFLOW in build.sentence


def test_a_late_hop_names_its_own_dag_and_the_rates() -> None:
    views = {
        "load_raw": DagView(("the DAG load_raw is paused",), ()),
        "build_marts": DagView(("the DAG build_marts is paused",), ()),
    }
    load, build = judged(Look(landing(100), pending_build(200), views, {CHAIN: 0}), 60, 10)
    assert load.sentence.endswith("nothing of these chains was loaded in the last 60 s. the DAG load_raw is paused")
    assert build.sentence.endswith("the DAG build_marts is paused")
