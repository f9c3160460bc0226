"""`bank down`: users first, SIGTERM before SIGKILL, and whatever a crash left behind."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components.native import COMPONENTS
from bankctl.devstack.supervision import processes
from bankctl.devstack.supervision.lock import exclusive
from bankctl.devstack.supervision.report import Reporter
from bankctl.devstack.supervision.step_runner import Cancelled, GraphStep, run
from bankctl.model.graph import users
from bankctl.stack.stack import Stack

_STATE: Final = ("data", "env", "run", "log", "secrets")
"""In the order in which a wipe takes them away: what is left without the first ones is a stack that starts empty."""
_WIPED: Final = "wiped"


def down(stack: Stack, report: Reporter, *, wipe: bool = False) -> None:
    """Stop everything that this state directory started; with `wipe`, remove all of its state (never a part).

    Raises:
        PipelineError: something still works on that state, so that nothing of it was removed.
    """
    with exclusive(stack):
        run(stop_steps(stack, report))
        if wipe:
            _refuse_while_used(stack)
            _wipe(stack)
            report.line("state removed")


def stop_steps(stack: Stack, report: Reporter) -> list[GraphStep]:
    """Every stop, each after those of its users."""
    return [_step(stack, name, report) for name in COMPONENTS]


def finish_wipe(stack: Stack, report: Reporter) -> None:
    """Remove what an interrupted wipe had taken away already, and nothing else."""
    if (stack.state_dir / _WIPED).exists():
        _remove(stack.state_dir / _WIPED)
        report.line("removed what a wipe that was interrupted had left")


def _wipe(stack: Stack) -> None:
    """Take each folder away whole and then remove it: whatever ends this, no half of a database is ever in its place.

    Raises:
        PipelineError: a folder can't be taken away, because it lies elsewhere; nothing was removed.
    """
    folders = [folder for name in _STATE if (folder := stack.state_dir / name).exists()]
    for folder in folders:
        if folder.is_symlink() or folder.is_mount():
            raise PipelineError(
                f"Nothing was removed: {folder} is a link or a mount point.",
                advice="A wipe removes folders only: empty this one by hand, take it away, and run it again.",
            )
    wiped = stack.state_dir / _WIPED
    wiped.mkdir(exist_ok=True)
    for folder in folders:
        folder.rename(wiped / f"{folder.name}.{uuid.uuid4().hex}")
    _remove(wiped)


def _remove(folder: Path) -> None:
    """Remove it; what goes by itself meanwhile is no error."""

    def unless_missing(_function: object, _path: str, info: tuple[type, BaseException, object]) -> None:
        if not isinstance(info[1], FileNotFoundError):
            raise info[1]

    shutil.rmtree(folder, onerror=unless_missing)


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
