"""Processes that end with the one that started them, whatever ended it: the kernel sends the signal."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

import psutil

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process when the thread that started it ends. Survives an exec, not a fork."""
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel knew
        os.kill(os.getpid(), signal.SIGKILL)


def kill_with_descendants(pid: int) -> None:
    """SIGKILL a process and everything below it."""
    try:
        process = psutil.Process(pid)
        members = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in members:
        _kill(member)


class Family:
    """This process's descendants: those that it starts, and those that it inherits when their own parent dies."""

    def __init__(self) -> None:
        self._started: set[int] = set()

    def adopt_orphans(self) -> None:
        """Become the parent of every descendant whose own parent dies, so that none is lost from sight."""
        if _libc is not None:
            _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program that ends with this process. Call it from the main thread.

        It has a group of its own, so that a signal to this process's group comes once, and this process's session, by
        which a supervisor finds what is left.
        """
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            # Two system calls: nothing in them waits for a lock that another thread may hold.
            preexec_fn=partial(die_with, os.getpid()),  # noqa: PLW1509
        )
        self._started.add(process.pid)
        return process

    def reap(self) -> None:
        """Collect inherited children that have ended; those that were started belong to their `Popen`."""
        try:
            while (
                child := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            ) and child.si_pid not in self._started:
                os.waitpid(child.si_pid, os.WNOHANG)
        except ChildProcessError:
            return

    def kill(self, seconds: float) -> bool:
        """SIGKILL every descendant until none is left; a stopped process hears no other signal.

        False if some are still there after `seconds`, waiting in the kernel for a disk.
        """
        own, until = psutil.Process(), time.monotonic() + seconds
        while descendants := own.children(recursive=True):
            for process in descendants:
                _kill(process)
            _, alive = psutil.wait_procs(descendants, timeout=0.2)
            if alive and time.monotonic() > until:
                return False
        return True


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
