"""The adapter against Airflow's answers, by their real status codes and bodies."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from event_receiver.adapters.airflow import AirflowRuns
from event_receiver.model.cycle import DagRun, DagRuns
from event_receiver.ports import RefusedError, RunState, UnreachableError

Handler = Callable[[httpx.Request], httpx.Response]
RUN = "wake__p__1"


class Airflow:
    """Gives tokens and checks them; everything else is the test's handler."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.logins = 0
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            assert json.loads(request.content) == {"username": "receiver", "password": "secret"}
            self.logins += 1
            return httpx.Response(201, json={"access_token": f"token-{self.logins}"})
        if request.headers["authorization"] != f"Bearer token-{self.logins}":
            return httpx.Response(401, json={"detail": "Invalid JWT token"})
        self.seen.append(request)
        return self.handler(request)


def ask(handler: Handler, call: Callable[[AirflowRuns], object]) -> object:
    async def body() -> object:
        transport = httpx.MockTransport(handler)
        async with httpx.AsyncClient(base_url="http://airflow", transport=transport) as client:
            runs = AirflowRuns(
                client, user="receiver", password="secret", dag_id="load_raw", build_dag_id="build_marts"
            )
            return await call(runs)  # type: ignore[misc]

    return asyncio.run(body())


def trigger(runs: AirflowRuns) -> object:
    return runs.trigger(RUN, {"traceparent": None, "keys": ["k"]})


def answers(status: int, body: object = None) -> Airflow:
    return Airflow(lambda _: httpx.Response(status, json=body if body is not None else {}))


def test_a_trigger_says_everything_that_airflow_wants() -> None:
    airflow = answers(200, {"dag_run_id": RUN})
    ask(airflow, trigger)
    (request,) = airflow.seen
    assert (request.method, request.url.path) == ("POST", "/api/v2/dags/load_raw/dagRuns")
    assert json.loads(request.content) == {
        "dag_run_id": RUN,
        "logical_date": None,
        "conf": {"traceparent": None, "keys": ["k"]},
    }


def test_a_conflict_means_that_my_own_retry_arrived() -> None:
    ask(answers(409, {"detail": "The DagRun already exists"}), trigger)


def test_an_expired_token_is_renewed_and_the_call_is_sent_again() -> None:
    airflow = answers(200)

    async def twice(runs: AirflowRuns) -> None:
        await runs.trigger(RUN, {})
        airflow.logins += 10
        await runs.trigger(RUN, {})

    ask(airflow, twice)
    assert (airflow.logins, len(airflow.seen)) == (12, 2)


@pytest.mark.parametrize(
    ("state", "expected"),
    [("queued", RunState.QUEUED), ("running", RunState.LEFT), ("success", RunState.LEFT), ("failed", RunState.LEFT)],
)
def test_only_a_queued_run_is_in_the_queue(state: str, expected: RunState) -> None:
    assert ask(answers(200, {"state": state}), lambda runs: runs.state(RUN)) is expected


def test_an_unknown_run_has_left_the_queue() -> None:
    assert ask(answers(404, {"detail": "not found"}), lambda runs: runs.state(RUN)) is RunState.LEFT


def listed(dag_id: str, run_id: str, state: str, *moments: str | None) -> dict[str, str | None]:
    names = ("queued_at", "start_date", "end_date", "run_after")
    run_type = "scheduled" if run_id.startswith("scheduled__") else "manual"
    entry = {"dag_id": dag_id, "dag_run_id": run_id, "run_type": run_type, "state": state}
    return entry | dict(zip(names, moments, strict=True))


def test_the_latest_runs_of_both_dags_come_with_airflow_s_own_clock() -> None:
    at = "2026-11-28T13:00:0{}.500000Z"
    body = {
        "dag_runs": [
            listed("build_marts", "b1", "queued", None, None, None, at.format(5)),
            listed("load_raw", "l1", "success", at.format(1), at.format(2), at.format(4), at.format(1)),
        ],
        "total_entries": 2,
    }
    headers = {"date": "Sat, 28 Nov 2026 13:00:07 GMT"}
    airflow = Airflow(lambda _: httpx.Response(200, json=body, headers=headers))
    start = 1_795_870_800.0
    assert ask(airflow, lambda runs: runs.latest()) == DagRuns(
        start + 7,
        (DagRun("l1", "success", start + 1.5, start + 2.5, start + 4.5),),
        (DagRun("b1", "queued", start + 5.5),),
    )
    (request,) = airflow.seen
    assert (request.method, request.url.path) == ("POST", "/api/v2/dags/~/dagRuns/list")
    asked = json.loads(request.content)
    assert (asked["dag_ids"], asked["order_by"]) == (["load_raw", "build_marts"], "-id")


@pytest.mark.parametrize("body", [{}, {"dag_runs": [{}]}, {"dag_runs": None}])
def test_a_list_that_is_none_is_a_refusal(body: object) -> None:
    headers = {"date": "Sat, 28 Nov 2026 13:00:07 GMT"}
    with pytest.raises(RefusedError, match="list of runs"):
        ask(Airflow(lambda _: httpx.Response(200, json=body, headers=headers)), lambda runs: runs.latest())


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_not_now_is_worth_a_retry(status: int) -> None:
    with pytest.raises(UnreachableError, match=str(status)):
        ask(answers(status), trigger)


@pytest.mark.parametrize(
    ("status", "advice"),
    [(404, "list-import-errors"), (403, "role"), (400, "list-import-errors"), (422, "version"), (301, "URL")],
)
def test_a_refusal_says_what_to_do(status: int, advice: str) -> None:
    with pytest.raises(RefusedError) as refused:
        ask(answers(status), trigger)
    assert advice in refused.value.advice
    assert "infra/runbooks/airflow-refuses.md" in refused.value.advice


def test_a_refused_login_says_what_to_correct() -> None:
    with pytest.raises(RefusedError) as refused:
        ask(lambda _: httpx.Response(401, json={"detail": "Invalid credentials"}), trigger)
    assert "EVENT_RECEIVER_AIRFLOW__PASSWORD" in refused.value.advice


def test_a_paused_dag_is_found_out() -> None:
    ask(answers(200, {"is_paused": False}), lambda runs: runs.check())
    with pytest.raises(RefusedError, match="paused"):
        ask(answers(200, {"is_paused": True}), lambda runs: runs.check())


def test_no_answer_is_worth_a_retry() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    with pytest.raises(UnreachableError, match="ReadTimeout"):
        ask(broken, trigger)


def test_an_answer_that_is_not_airflow_s_is_a_refusal() -> None:
    with pytest.raises(RefusedError, match="JSON"):
        ask(Airflow(lambda _: httpx.Response(200, text="<html>")), trigger)
