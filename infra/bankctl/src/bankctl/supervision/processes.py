"""One recorded process per component: found again by PID *and* start time, never by name."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bankctl.secret_store import write_private

LOG_LIMIT_BYTES: Final = 16 * 2**20
STOP_SECONDS: Final = 20.0
_START_TIME_TOLERANCE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a run file says: enough to tell the process from another one that got its PID later."""

    pid: int
    started: float

    def process(self) -> psutil.Process | None:
        """The process, if it is still the same one and not a zombie."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _START_TIME_TOLERANCE_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log_file: Path,
    run_file: Path,
    working_directory: Path,
) -> psutil.Popen:
    """Start a component in a session of its own and record it at once.

    Call it from a worker thread: Ctrl-C is delivered to the main thread, so it can't fall between start and record.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    _rotate(log_file)
    with log_file.open("ab") as log:
        process = psutil.Popen(
            list(command),
            env=dict(environment),
            cwd=working_directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    write_private(run_file, json.dumps({"pid": process.pid, "started": process.create_time(), "command": command[0]}))
    return process


def recorded(run_file: Path) -> Recorded | None:
    """The record of a component, if there is one."""
    try:
        found = json.loads(run_file.read_text(encoding="utf-8"))
        return Recorded(int(found["pid"]), float(found["started"]))
    except (FileNotFoundError, ValueError, KeyError):
        return None


def running(run_file: Path) -> psutil.Process | None:
    """The component's process, if it runs."""
    found = recorded(run_file)
    return found.process() if found else None


def stop(run_file: Path, *, seconds: float = STOP_SECONDS) -> str:
    """SIGTERM, wait, then SIGKILL for the process and whatever it left; `"stopped"`, `"killed"` or `"not running"`.

    A component's descendants are in its session; those of a component that died are found by that session.
    """
    found = recorded(run_file)
    if found is None:
        return "not running"
    process = found.process()
    family = _family(found.pid) if process or not psutil.pid_exists(found.pid) else []
    outcome = "not running"
    if process is not None:
        process.send_signal(signal.SIGTERM)
        outcome = "stopped" if _gone([process], seconds) else "killed"
    leftovers = [member for member in family if member.is_running()]
    if leftovers and outcome != "killed" and not _gone(leftovers, 2.0 if process else 0.0):
        for member in leftovers:
            _signal(member, signal.SIGTERM)
        _gone(leftovers, 5.0)
    for member in [*([process] if process else []), *family]:
        _signal(member, signal.SIGKILL)
    _gone([*([process] if process else []), *family], 10.0)
    run_file.unlink(missing_ok=True)
    return outcome if process is not None or not leftovers else "killed"


def log_tail(log_file: Path, lines: int = 20) -> str:
    """The last lines of a log."""
    try:
        with log_file.open("rb") as file:
            file.seek(max(0, log_file.stat().st_size - 64 * 1024))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"


def memory_bytes(process: psutil.Process) -> int:
    """Proportional set size of a process and its descendants; 0 for what ended meanwhile or can't be read."""
    total = 0
    for member in [process, *_descendants(process)]:
        try:
            total += member.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return total


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _family(leader: int) -> list[psutil.Process]:
    """Every other process of the session that `leader` leads or led, and their descendants."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.pid != leader and os.getsid(process.pid) == leader:
                found[process.pid] = process
        except (ProcessLookupError, PermissionError):
            continue
    if psutil.pid_exists(leader):
        found |= {child.pid: child for child in _descendants(psutil.Process(leader))}
    return list(found.values())


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        if process.is_running():
            process.send_signal(number)
    except psutil.NoSuchProcess:
        pass


def _gone(processes: list[psutil.Process], seconds: float) -> bool:
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def _rotate(log_file: Path) -> None:
    if log_file.exists() and log_file.stat().st_size > LOG_LIMIT_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
