"""CPU seconds of each component, those of its short-lived processes included.

A process carries the time of the children that it has waited for (`cutime`, `cstime`), so the sum over a component's
living processes loses nothing that was reaped by a process of the same component. What a parent leaves unreaped to
init is found by its session while it lives; its last moments after the last look are lost.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds: of the living processes themselves, by the title of each, and of children that have ended."""

    living: dict[str, float]
    ended: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.living.values()) + self.ended


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    session: int
    own: float
    children: float


def _processes() -> Iterator[_Process]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        user, system, children_user, children_system = (int(field) / TICKS for field in fields[11:15])
        yield _Process(int(folder.name), int(fields[1]), int(fields[3]), user + system, children_user + children_system)


def _title(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split()
    except (FileNotFoundError, ProcessLookupError):
        return "(ended)"
    named = [word.rpartition("/")[2] for word in words if not word.startswith("-")]
    return " ".join(named[:3])


def look(leaders: dict[str, int]) -> dict[str, Used]:
    """Read the CPU time of each component since its start; `leaders` gives the process that each was started as."""
    by_pid = {process.pid: process for process in _processes()}
    components = {pid: name for name, pid in leaders.items()}
    members: dict[str, list[_Process]] = {name: [] for name in leaders}
    for process in by_pid.values():
        name, ancestor = None, process
        while name is None and ancestor is not None:
            name, ancestor = components.get(ancestor.pid), by_pid.get(ancestor.parent)
        name = name or components.get(process.session)
        if name is not None:
            members[name].append(process)
    used: dict[str, Used] = {}
    for name, processes in members.items():
        living: dict[str, float] = {}
        for process in processes:
            title = _title(process.pid)
            living[title] = living.get(title, 0.0) + process.own
        used[name] = Used(living, sum(process.children for process in processes))
    return used


def machine_busy() -> float:
    """CPU seconds that all processors of this machine have spent on anything."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / TICKS
