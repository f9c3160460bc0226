"""Reads from Airflow what may hold up a DAG: paused, no pool slots, failed runs; and how long its tasks take."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self

import httpx

POOL: Final = "default_pool"
LAST_RUNS: Final = 20
LAST_TASKS: Final = 5
LONG_RUN_SECONDS: Final = 60.0
_TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)
_DETAIL_LENGTH: Final = 300
_ENDED: Final = ("success", "failed")


class NoAnswer(Exception):  # noqa: N818 - it is what was heard
    """Airflow's API server does not answer, or not as it should; the text is one line."""


@dataclass(frozen=True, slots=True)
class DagView:
    """A DAG's state: `seen` are sentences about what may hold it up, `task_seconds` the lengths of its last tasks that
    succeeded, from their scheduling on."""

    seen: tuple[str, ...]
    task_seconds: tuple[float, ...]


class AirflowApi:
    """Airflow's REST API v2 as one of its users. Use it as a context manager: it logs in when it is entered."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """Connects to nothing."""
        self._login = {"username": user, "password": password}
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        with _heard():
            answer = self._client.post("/auth/token", json=self._login).raise_for_status()
            self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._client.close()

    def common(self) -> tuple[str, ...]:
        """Read what may hold up every DAG: the scheduler's heartbeat, the pool of all tasks.

        Raises:
            NoAnswer: the API server does not answer.
        """
        with _heard():
            health, pool = self._get("/api/v2/monitor/health"), self._get(f"/api/v2/pools/{POOL}")
            return tuple(scheduler_seen(health) + pool_seen(pool))

    def dag(self, dag: str) -> DagView:
        """Read the view of a DAG.

        Raises:
            NoAnswer: the API server does not answer.
        """
        with _heard():
            answer = self._client.get(f"/api/v2/dags/{dag}")
            if answer.status_code == httpx.codes.NOT_FOUND:
                return DagView((f"Airflow does not know the DAG {dag}", *self._import_errors()), ())
            details = answer.raise_for_status().json()
            seen = [f"the DAG {dag} is paused"] if details["is_paused"] else []
            if details.get("has_import_errors"):
                seen += self._import_errors()
            answer = self._client.get(
                f"/api/v2/dags/{dag}/dagRuns", params={"limit": LAST_RUNS, "order_by": "-run_after"}
            ).raise_for_status()
            runs = answer.json()["dag_runs"]
            seen += long_runs(dag, runs, parsedate_to_datetime(answer.headers["Date"]))
            if (failed := failed_last(runs)) is not None:
                seen.append(self._failure(dag, failed))
            # Of its tasks, not of its runs: a run whose task had nothing to do succeeds as well, in a moment.
            tasks = self._get(
                f"/api/v2/dags/{dag}/dagRuns/~/taskInstances",
                {"state": "success", "limit": LAST_TASKS, "order_by": "-start_date"},
            )
            return DagView(tuple(seen), tuple(lengths(tasks["task_instances"])))

    def _failure(self, dag: str, run: str) -> str:
        tasks = self._get(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances", {"state": "failed", "limit": 1})
        for task in tasks["task_instances"]:
            said = self._error(dag, run, task)
            return f"the last run of {dag} failed in its task {task['task_id']}{': ' + said if said else ''}"
        return f"the last run of {dag} failed"

    def _error(self, dag: str, run: str, task: Mapping[str, Any]) -> str | None:
        try:
            path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
            return first_line(self._get(path, {"map_index": task["map_index"], "full_content": True})["content"])
        except (httpx.HTTPError, ValueError, KeyError):
            return None  # a log that can't be had is no reason to say nothing

    def _import_errors(self) -> list[str]:
        errors = self._get("/api/v2/importErrors", {"limit": 1})["import_errors"]
        return [f"{error['filename']} can't be imported: {_last(error['stack_trace'])}" for error in errors]

    def _get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        return self._client.get(path, params=parameters).raise_for_status().json()


def scheduler_seen(health: Mapping[str, Any]) -> list[str]:
    """Sentences about the scheduler, from the answer of Airflow's health endpoint."""
    status = (health.get("scheduler") or {}).get("status")
    return [] if status == "healthy" else [f"the scheduler's heartbeat is {status}"]


def pool_seen(pool: Mapping[str, Any]) -> list[str]:
    """Sentences about a pool, from the answer of Airflow's pools endpoint."""
    if pool["slots"] == 0:
        return [f"the pool {pool['name']} has no slots"]
    return [f"all {pool['slots']} slots of the pool {pool['name']} are taken"] if pool["open_slots"] == 0 else []


def failed_last(runs: list[dict[str, Any]]) -> str | None:
    """The id of the run that ended last, if it failed; runs come newest first."""
    last = next((run for run in runs if run["state"] in _ENDED), None)
    return last["dag_run_id"] if last is not None and last["state"] == "failed" else None


def long_runs(dag: str, runs: list[dict[str, Any]], now: datetime) -> list[str]:
    """The oldest run that is queued or running for long, by Airflow's own clock."""
    for run in reversed(runs):
        began = run["start_date"] or run["queued_at"]
        if run["state"] in _ENDED or began is None:
            continue
        seconds = (now - datetime.fromisoformat(began)).total_seconds()
        return [f"a run of {dag} is {run['state']} for {seconds:.0f} s"] if seconds >= LONG_RUN_SECONDS else []
    return []


def lengths(tasks: list[dict[str, Any]]) -> Iterator[float]:
    """Seconds from the scheduling of each task to its end."""
    for task in tasks:
        began, ended = task.get("scheduled_when") or task["start_date"], task["end_date"]
        if began and ended:
            yield (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def first_line(content: list[Any]) -> str | None:
    """The first line of the exception that a task's log ends with."""
    for entry in reversed(content):
        for error in reversed(entry.get("error_detail") or [] if isinstance(entry, dict) else []):
            text = next(iter(str(error.get("exc_value", "")).strip().splitlines()), "")
            return f"{error.get('exc_type', 'error')}: {text}"[:_DETAIL_LENGTH]
    return None


def _last(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "")[:_DETAIL_LENGTH]


@contextmanager
def _heard() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPStatusError as error:
        raise NoAnswer(f"HTTP {error.response.status_code} from {error.request.url.path}") from error
    except httpx.HTTPError as error:
        raise NoAnswer(f"{type(error).__name__}: {error}".strip(": ")) from error
    except (KeyError, TypeError, ValueError) as error:
        raise NoAnswer(f"an answer that can't be read ({type(error).__name__})") from error
