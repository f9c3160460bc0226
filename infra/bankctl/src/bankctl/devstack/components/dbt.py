"""The warm dbt: it has imported dbt and parsed the project, and forks for each build that is asked for."""

import json
import os
import socket
from pathlib import Path
from typing import Final

from bankctl.devstack.components.airflow import RUNS_FROM
from bankctl.devstack.components.component import READY, Component
from bankctl.model.graph import NODES
from bankctl.stack import environment
from bankctl.stack.stack import Stack

_ANSWER_SECONDS: Final = 5.0


def probe(stack: Stack) -> str | None:
    """Read the greeting at its socket (bank_dags.building.inside.warm): ready, or why not."""
    try:
        greeting = _greeting(stack.data_dir("dbt") / "warm")
    except (OSError, ValueError) as error:
        return f"its socket does not answer: {type(error).__name__}"
    return READY if greeting.get("state") == "ready" else str(greeting.get("reason"))


def _greeting(folder: Path) -> dict[str, object]:
    # By the folder's descriptor: a socket's own name may have 107 bytes.
    descriptor = os.open(folder, os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.connect(f"/proc/self/fd/{descriptor}/socket")
            with connection.makefile("rb") as answer:
                return json.loads(answer.readline())
    finally:
        os.close(descriptor)


def interpreter(stack: Stack) -> Path:
    """The Python of Airflow's environment, where `bank_dags` is installed."""
    return stack.root / "orchestration" / "airflow" / ".venv" / "bin" / "python"


WARM: Final = Component(
    node=NODES["dbt-warm"],
    command=lambda stack: [str(interpreter(stack)), "-m", "bank_dags.warm"],
    environment=environment.airflow,
    probe=probe,
    # The dbt project is none: the process parses a changed one by itself.
    runs_from=RUNS_FROM,
)
