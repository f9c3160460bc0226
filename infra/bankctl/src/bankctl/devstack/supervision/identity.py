"""The identity of a process: PID, start in clock ticks since the machine's boot, and the boot; no wall clock."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_STATE, _START = 0, 19
"""Fields of /proc/<pid>/stat behind the command's closing bracket (proc_pid_stat(5): the third and the 22nd)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process of this machine: no other one has the same three, whatever the clock was set to meanwhile."""

    pid: int
    ticks: int
    boot: str

    @property
    def seconds(self) -> float:
        """Seconds since it started; time in which the machine was suspended counts."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.ticks / _TICKS_PER_SECOND


def boot() -> str:
    """The machine's current boot."""
    return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def of(pid: int) -> Identity | None:
    """The process that has this PID now, ended or not as long as nobody has collected it."""
    fields = _stat(pid)
    return None if fields is None else Identity(pid, int(fields[_START]), boot())


def state(pid: int) -> str | None:
    """The kernel's letter for its state: R, S, D, T (stopped by a signal), t (traced), Z or X (ended)."""
    fields = _stat(pid)
    return None if fields is None else fields[_STATE]


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
