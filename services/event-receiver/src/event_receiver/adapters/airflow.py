"""The runs of load and build through Airflow's REST API v2, logged in with a token that is renewed when it is refused.

https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx

from event_receiver.model.cycle import DagRun, DagRuns
from event_receiver.ports import RefusedError, RunState, UnreachableError

_NOT_NOW: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_LATEST: Final = 20
"""Runs of both DAGs in one look: some cycles, with sweeps between them."""
_LOGIN_ADVICE: Final = "Correct EVENT_RECEIVER_AIRFLOW__USER and EVENT_RECEIVER_AIRFLOW__PASSWORD."


class AirflowRuns:
    """The `AirflowPort` of two DAGs. Give it a client whose base URL is Airflow's; the caller closes the client."""

    def __init__(self, client: httpx.AsyncClient, *, user: str, password: str, dag_id: str, build_dag_id: str) -> None:
        self._client = client
        self._login = {"username": user, "password": password}
        self._dag_id = dag_id
        self._build_dag_id = build_dag_id
        self._dag = f"/api/v2/dags/{quote(dag_id, safe='')}"
        self._token: str | None = None

    async def trigger(self, run_id: str, conf: Mapping[str, Any]) -> None:
        """See `AirflowPort.trigger`."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        answer = await self._request("POST", f"{self._dag}/dagRuns", body)
        # 409: the run id is ours alone, so an earlier sending of this very order arrived.
        if answer.status_code != HTTPStatus.CONFLICT:
            self._checked(answer)

    async def state(self, run_id: str) -> RunState:
        """See `AirflowPort.state`."""
        answer = await self._request("GET", f"{self._dag}/dagRuns/{quote(run_id, safe='')}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return RunState.LEFT
        run_state = self._checked(answer).get("state")
        return RunState.QUEUED if run_state == "queued" else RunState.LEFT

    async def latest(self) -> DagRuns:
        """See `AirflowPort.latest`."""
        query = {"dag_ids": [self._dag_id, self._build_dag_id], "order_by": "-id", "page_limit": _LATEST}
        answer = await self._request("POST", "/api/v2/dags/~/dagRuns/list", query)
        listing = self._checked(answer)
        try:
            now = parsedate_to_datetime(answer.headers["date"]).timestamp()
            runs = [(entry["dag_id"], _run(entry)) for entry in listing["dag_runs"]]
        except (KeyError, TypeError, ValueError):
            raise _refused("Airflow's list of runs can't be read", _advice(answer.status_code, self._dag_id)) from None
        loads = tuple(run for dag_id, run in runs if dag_id == self._dag_id)
        return DagRuns(now, loads, tuple(run for dag_id, run in runs if dag_id == self._build_dag_id))

    async def check(self) -> None:
        """See `AirflowPort.check`."""
        dag = self._checked(await self._request("GET", self._dag))
        if dag.get("is_paused"):
            raise _refused(
                f"The DAG {self._dag_id} is paused", f"Unpause it: `airflow dags unpause {self._dag_id}`, or in the UI."
            )

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        answer = await self._send(method, path, body)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            # The token has expired, or Airflow was restarted with another secret: log in again, once.
            self._token = None
            answer = await self._send(method, path, body)
        return answer

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        token = self._token or await self._new_token()
        return await self._call(method, path, body, {"Authorization": f"Bearer {token}"})

    async def _new_token(self) -> str:
        answer = await self._call("POST", "/auth/token", self._login, {})
        if answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise _refused("Airflow refused the login", _LOGIN_ADVICE)
        token = self._checked(answer).get("access_token")
        if not isinstance(token, str):
            raise _refused("Airflow's login gave no token", "Check that EVENT_RECEIVER_AIRFLOW__URL is Airflow 3.")
        self._token = token
        return token

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        try:
            return await self._client.request(method, path, json=body, headers=dict(headers))
        except httpx.HTTPError as error:
            raise UnreachableError(f"no answer from Airflow ({type(error).__name__})") from None

    def _checked(self, answer: httpx.Response) -> dict[str, Any]:
        """The answer's JSON object.

        Raises:
            UnreachableError: it says "not now".
            RefusedError: it says no.
        """
        status = answer.status_code
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _NOT_NOW:
            raise UnreachableError(f"Airflow answered {status}")
        if not answer.is_success:
            raise _refused(f"Airflow answered {status} for the DAG {self._dag_id}", _advice(status, self._dag_id))
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise _refused("Airflow's answer is not JSON", "Check that EVENT_RECEIVER_AIRFLOW__URL is Airflow 3.")
        return document


def _run(entry: Mapping[str, Any]) -> DagRun:
    def moment(name: str) -> float | None:
        return datetime.fromisoformat(entry[name]).timestamp() if entry[name] is not None else None

    queued = moment("queued_at") or moment("run_after")
    if queued is None:
        raise ValueError("a run without a time")
    sweep = entry["run_type"] == "scheduled"
    return DagRun(entry["dag_run_id"], entry["state"], queued, moment("start_date"), moment("end_date"), sweep)


def _refused(reason: str, advice: str) -> RefusedError:
    return RefusedError(reason, f"{advice} Runbook: infra/runbooks/airflow-refuses.md.")


def _advice(status: int, dag_id: str) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return f"There is no DAG {dag_id}: see the DAG processor's log and `airflow dags list-import-errors`."
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"Its user needs a role that may trigger {dag_id} (`user`). {_LOGIN_ADVICE}"
    if status == HTTPStatus.BAD_REQUEST:
        return f"{dag_id} can't be triggered: see `airflow dags list-import-errors`."
    return "Check EVENT_RECEIVER_AIRFLOW__URL and Airflow's version (3.x with REST API v2)."
