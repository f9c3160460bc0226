"""`bank down`: users first, SIGTERM before SIGKILL, and whatever a crash left behind."""

import shutil
from collections.abc import Iterator
from typing import Final

import psutil

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components.component_graph import COMPONENTS
from bankctl.devstack.supervision import processes
from bankctl.devstack.supervision.graph import Cancelled, GraphStep, run
from bankctl.devstack.supervision.lock import exclusive
from bankctl.devstack.supervision.report import Reporter
from bankctl.model.graph import users
from bankctl.stack.stack import Stack

_STATE: Final = ("run", "log", "data", "secrets", "env")


def down(stack: Stack, report: Reporter, *, wipe: bool = False) -> None:
    """Stop everything that this state directory started; with `wipe`, remove all of its state (never a part).

    Raises:
        PipelineError: something still works on that state, so that nothing of it was removed.
    """
    with exclusive(stack):
        run([_step(stack, name, report) for name in COMPONENTS])
        if wipe:
            _refuse_while_used(stack)
            for folder in _STATE:
                shutil.rmtree(stack.state_dir / folder, ignore_errors=False, onerror=_unless_missing)
            report.line("state removed")


def _step(stack: Stack, name: str, report: Reporter) -> GraphStep:
    def work(_cancelled: Cancelled) -> None:
        outcome = processes.stop(stack.run_file(name), seconds=COMPONENTS[name].stop_seconds)
        if outcome != "not running":
            report.line(f"{name}: {outcome}")

    return GraphStep(name, work, users(name))


def _refuse_while_used(stack: Stack) -> None:
    """The records say what was started; a process that none of them knows would go on without its files."""
    if users := list(_users(stack)):
        raise PipelineError(
            f"Nothing was removed: {'; '.join(users)} still at work in {stack.data_dir('')}.",
            advice="End it, or leave that folder, and run `bank down --wipe` again.",
        )


def _users(stack: Stack) -> Iterator[str]:
    data = str(stack.data_dir("").resolve())
    for process in psutil.process_iter():
        try:
            folder = process.cwd()
            if folder == data or folder.startswith(f"{data}/"):
                yield f"process {process.pid} ({process.name()})"
        except (psutil.Error, OSError):
            continue  # it ended, or is another user's


def _unless_missing(_function: object, _path: str, info: tuple[type, BaseException, object]) -> None:
    if not isinstance(info[1], FileNotFoundError):
        raise info[1]
