"""The recorded process of a component: found again by its identity, never by name, and ended with all that it left."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from bankctl.devstack.supervision import identity
from bankctl.devstack.supervision.identity import Identity
from bankctl.stack.secret_store import write_private

LOG_LIMIT_BYTES: Final = 16 * 2**20
STOP_SECONDS: Final = 20.0
_ENDED: Final = ("Z", "X")
_STOPPED: Final = ("T", "t")


@dataclass(frozen=True, slots=True)
class Recorded:
    """The content of a run file: tells the process from another one that got its PID later."""

    identity: Identity
    fingerprint: Mapping[str, str] | None = None
    """What it was started from (`fingerprint.py`); None in the record of an earlier version."""

    @property
    def pid(self) -> int:
        """The PID, which is that of its session and of its process group as well."""
        return self.identity.pid

    def process(self) -> psutil.Process | None:
        """The process, if it is still the same one and has not ended."""
        if identity.of(self.pid) != self.identity or identity.state(self.pid) in _ENDED:
            return None
        try:
            return psutil.Process(self.pid)
        except psutil.NoSuchProcess:
            return None


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log_file: Path,
    run_file: Path,
    working_directory: Path,
    fingerprint: Mapping[str, str] | None = None,
) -> psutil.Popen:
    """Start a component in a session of its own and record it at once, with what it was started from.

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
    started = identity.of(process.pid)
    assert started is not None  # noqa: S101 - nobody but this process can collect its child
    record = {
        **asdict(started),
        "command": command[0],
        "fingerprint": None if fingerprint is None else dict(fingerprint),
    }
    write_private(run_file, json.dumps(record))
    return process


def recorded(run_file: Path) -> Recorded | None:
    """The record of a component, if there is one."""
    try:
        document = json.loads(run_file.read_text(encoding="utf-8"))
        if "ticks" not in document:
            return Recorded(_by_start_time(int(document["pid"]), float(document["started"])))
        identity = Identity(int(document["pid"]), int(document["ticks"]), str(document["boot"]))
        fingerprint = document.get("fingerprint")
        return Recorded(identity, fingerprint if isinstance(fingerprint, dict) else None)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _by_start_time(pid: int, started: float) -> Identity:
    """Read a record of version 0.1.0: a stack that it started must still be found, or nothing would stop it."""
    now = identity.of(pid)
    with suppress(psutil.NoSuchProcess):
        if now is not None and abs(psutil.Process(pid).create_time() - started) < 1.0:
            return now
    return Identity(pid, 0, identity.boot())


def running(run_file: Path) -> psutil.Process | None:
    """The component's process, if it runs."""
    record = recorded(run_file)
    return record.process() if record else None


def stop(run_file: Path, *, seconds: float = STOP_SECONDS, keep_record: bool = False) -> str:
    """SIGTERM, wait, then SIGKILL for the process and whatever it left; `"stopped"`, `"killed"` or `"not running"`.

    A component's descendants are in its session; those of a component that died are found by that session. A process
    that was stopped by a signal hears no SIGTERM: it is not waited for. With `keep_record` the component stays one that
    should run.
    """
    record = recorded(run_file)
    if record is None:
        return "not running"
    process = record.process()
    family = _family(record)
    outcome = "not running"
    if process is not None:
        _signal(process, signal.SIGTERM)
        deaf = identity.state(record.pid) in _STOPPED
        outcome = "stopped" if _gone([process], 0.0 if deaf else seconds) else "killed"
    leftovers = [member for member in family if _lives(member)]
    if leftovers and outcome != "killed" and not _gone(leftovers, 2.0 if process else 0.0):
        for member in leftovers:
            _signal(member, signal.SIGTERM)
        _gone([member for member in leftovers if identity.state(member.pid) not in _STOPPED], 5.0)
    # Whoever came to the session meanwhile as well: a process that was starting another one when it was killed.
    doomed = [*([process] if process else []), *family, *_family(record)]
    for member in doomed:
        _signal(member, signal.SIGKILL)
    _gone([member for member in doomed if _lives(member) or _is_child(member)], 10.0)
    if not keep_record:
        run_file.unlink(missing_ok=True)
    return outcome if process is not None or not leftovers else "killed"


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


def _family(leader: Recorded) -> list[psutil.Process]:
    """Every other process of the session that `leader` leads or led, and their descendants.

    The kernel gives a PID to nobody else while a session of that number has members: where another process has it, or
    the machine was booted since, nothing is left.
    """
    now = identity.of(leader.pid)
    if leader.identity.boot != identity.boot() or (now is not None and now != leader.identity):
        return []
    members: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.pid != leader.pid and os.getsid(process.pid) == leader.pid:
                members[process.pid] = process
                members |= {child.pid: child for child in _descendants(process)}
        except (ProcessLookupError, PermissionError):
            continue
    if now is not None and psutil.pid_exists(leader.pid):
        with suppress(psutil.NoSuchProcess):
            members |= {child.pid: child for child in _descendants(psutil.Process(leader.pid))}
    return list(members.values())


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and identity.state(process.pid) not in (None, *_ENDED)


def _is_child(process: psutil.Process) -> bool:
    """Tell whether this process must collect it; a child of another process stays until its parent looks."""
    with suppress(psutil.NoSuchProcess):
        return process.ppid() == os.getpid()
    return False


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
