"""`bank down`: dependants first, SIGTERM before SIGKILL, and whatever a crash left behind."""

import shutil
from typing import Final

from bankctl.devstack.components.component_graph import COMPONENTS
from bankctl.devstack.supervision import processes
from bankctl.devstack.supervision.graph import Cancelled, GraphStep, run
from bankctl.devstack.supervision.lock import exclusive
from bankctl.devstack.supervision.report import Reporter
from bankctl.stack.stack import Stack

_STATE: Final = ("run", "log", "data", "secrets", "env")

_STOPS_AFTER: Final = {
    # A component stops when those that use it have stopped; the rest stop side by side.
    "bank-postgres": ("connect", "generator"),
    "platform-postgres": ("airflow-api", "airflow-scheduler", "airflow-dag-processor", "registry"),
    "kafka": ("connect", "cdc-consumer"),
    "registry": ("connect", "cdc-consumer"),
    "minio": ("cdc-consumer", "airflow-scheduler"),
    "snowflake": ("airflow-scheduler",),
    "event-receiver": ("minio",),
    "airflow-api": ("airflow-scheduler", "event-receiver"),
}


def down(stack: Stack, report: Reporter, *, wipe: bool = False) -> None:
    """Stop everything that this state directory started; with `wipe`, remove all of its state (never a part)."""
    with exclusive(stack):
        run([_step(stack, name, report) for name in COMPONENTS])
        if wipe:
            for folder in _STATE:
                shutil.rmtree(stack.state_dir / folder, ignore_errors=False, onerror=_unless_missing)
            report.line("state removed")


def _step(stack: Stack, name: str, report: Reporter) -> GraphStep:
    def work(_cancelled: Cancelled) -> None:
        outcome = processes.stop(stack.run_file(name), seconds=COMPONENTS[name].stop_seconds)
        if outcome != "not running":
            report.line(f"{name}: {outcome}")

    return GraphStep(name, work, _STOPS_AFTER.get(name, ()))


def _unless_missing(_function: object, _path: str, info: tuple[type, BaseException, object]) -> None:
    if not isinstance(info[1], FileNotFoundError):
        raise info[1]
