"""The worker: a forked process that runs one workload of Airflow, and its end."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from bank_dags.scheduling.lifeline import die_with, kill_with_descendants

_REASON_BYTES = 4000
"""Less than a pipe holds, so that a worker never waits for a reader."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a worker: `reason` is None when its workload was supervised to its end."""

    reason: str | None


@dataclass
class Worker:
    """A child process and the pipe on which it leaves the reason of a failure."""

    pid: int
    reader: int

    def ended(self) -> Ended | None:
        """Looks once and never waits; None while it runs. Collects the process: ask no more after an answer."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        with os.fdopen(self.reader, "rb") as pipe:
            said = pipe.read().decode(errors="replace")
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return Ended(None)
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return Ended(said or f"The process of the task was ended {how}.")

    def terminate(self) -> None:
        """SIGTERM: the worker passes it on to the task."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL for the worker, its task and what the task started; `ended` still collects it."""
        kill_with_descendants(self.pid)


def fork(work: Callable[[], object]) -> Worker:
    """Run `work` in a child process. Call it from the main thread: the child ends with the thread that forks it."""
    reader, writer = os.pipe()
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    # The child's collector would touch, and so copy, every page of what it inherits.
    gc.freeze()
    try:
        pid = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        raise
    finally:
        if os.getpid() == parent:
            gc.unfreeze()
    if pid == 0:
        os.close(reader)
        _child(work, parent, writer)
    os.close(writer)
    return Worker(pid, reader)


def _child(work: Callable[[], object], parent: int, writer: int) -> NoReturn:
    code = 1
    try:
        die_with(parent)
        own = os.getpid()
        # The task's process, which Airflow forks, ends with this one; what the task itself starts is its own affair.
        os.register_at_fork(after_in_child=lambda: die_with(own) if os.getppid() == own else None)
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001 - whatever it is, this process ends here
        os.write(writer, f"{type(error).__name__}: {error}".encode()[:_REASON_BYTES])
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            # Nothing that the scheduler registered for its own end runs here.
            os._exit(code)
