"""Airflow's three processes on one database: API server, scheduler (under its parent) and DAG processor."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components.component import (
    READY,
    Component,
    HttpProbe,
    client,
    http_probe,
)
from bankctl.model.graph import NODES
from bankctl.stack import environment
from bankctl.stack.shell import inherited_environment
from bankctl.stack.stack import LOOPBACK, Stack


def _executable(stack: Stack) -> str:
    return str(stack.root / "orchestration" / "airflow" / ".venv" / "bin" / "airflow")


def _environment(stack: Stack) -> dict[str, str]:
    own = environment.airflow(stack)
    folder = os.path.dirname(_executable(stack))
    return own | {"PATH": os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])}


RUNS_FROM: Final = ("orchestration/airflow/src", "orchestration/airflow/uv.lock", "libs/bank_common/src")
"""Of every process of Airflow's environment. DAG files are none: Airflow reads a changed one by itself."""


def migrate_database(stack: Stack) -> None:
    """`airflow db migrate`.

    Raises:
        PipelineError: it failed; its last lines are in the message.
    """
    stack.data_dir("airflow").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [_executable(stack), "db", "migrate"],
        env=inherited_environment() | _environment(stack),
        capture_output=True,
        text=True,
        check=False,
        cwd=stack.data_dir("airflow"),
    )
    if done.returncode:
        raise PipelineError(
            f"Airflow's database could not be migrated: {(done.stderr or done.stdout).strip()[-800:]}",
            advice="See the message; `bank logs platform-postgres` shows the database's side.",
        )


def _part_probe(part: str) -> HttpProbe:
    def probe(stack: Stack) -> str | None:
        try:
            health = client().get(f"{stack.url('airflow')}/api/v2/monitor/health").json()
        except (httpx.HTTPError, ValueError) as error:
            return f"the API server does not answer: {type(error).__name__}"
        status = (health.get(part) or {}).get("status")
        return READY if status == "healthy" else f"its heartbeat is {status}"

    return probe


API: Final = Component(
    node=NODES["airflow-api"],
    command=lambda stack: [
        _executable(stack),
        "api-server",
        "--host",
        LOOPBACK,
        "--port",
        str(stack.port("airflow")),
        "--workers",
        "1",
    ],
    environment=_environment,
    probe=http_probe(lambda stack: f"{stack.url('airflow')}/api/v2/version"),
    ports=("airflow",),
    ready_seconds=120,
    hung_seconds=20,
    runs_from=RUNS_FROM,
)


def _part(part: str, command: Callable[[Stack], list[str]]) -> Component:
    return Component(
        node=NODES[f"airflow-{part}"],
        command=command,
        environment=_environment,
        probe=_part_probe(part.replace("-", "_")),
        ready_seconds=120,
        hung_seconds=30,
        runs_from=RUNS_FROM,
    )


SCHEDULER: Final = _part(
    "scheduler",
    lambda stack: [str(Path(_executable(stack)).with_name("python")), "-m", "bank_dags.scheduling"],
)
DAG_PROCESSOR: Final = _part("dag-processor", lambda stack: [_executable(stack), "dag-processor"])
