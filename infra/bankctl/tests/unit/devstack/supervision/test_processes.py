import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bankctl.devstack.supervision import processes
from bankctl.stack.logs import log_tail

SLEEPER = [sys.executable, "-c", "import time; print('started', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    " print('parent', flush=True); time.sleep(600)",
]


class ComponentFiles:
    def __init__(self, folder: Path) -> None:
        self.folder, self.run, self.log = folder, folder / "run" / "c.json", folder / "log" / "c.log"

    def spawn(self, command: list[str], says: str) -> psutil.Popen:
        process = processes.spawn(
            command,
            environment=dict(os.environ),
            log_file=self.log,
            run_file=self.run,
            working_directory=self.folder,
        )
        deadline = time.monotonic() + 20
        while says not in log_tail(self.log):
            assert time.monotonic() < deadline, log_tail(self.log)
            time.sleep(0.02)
        return process


@pytest.fixture
def files(tmp_path: Path) -> Iterator[ComponentFiles]:
    prepared = ComponentFiles(tmp_path)
    yield prepared
    processes.stop(prepared.run, seconds=0.1)


def test_a_process_is_recorded_found_and_stopped(files: ComponentFiles) -> None:
    process = files.spawn(SLEEPER, "started")
    assert (running := processes.running(files.run)) is not None
    assert running.pid == process.pid
    assert files.run.stat().st_mode & 0o777 == 0o600
    assert processes.memory_bytes(running) > 0
    assert processes.stop(files.run) == "stopped"
    assert not psutil.pid_exists(process.pid)
    assert not files.run.exists()
    assert processes.stop(files.run) == "not running"


def test_another_process_with_the_same_pid_is_never_touched(files: ComponentFiles) -> None:
    process = files.spawn(SLEEPER, "started")
    record = json.loads(files.run.read_text())
    files.run.write_text(json.dumps(record | {"ticks": record["ticks"] - 100}))
    assert processes.running(files.run) is None
    assert processes.stop(files.run) == "not running"
    assert process.is_running()
    process.kill()
    process.wait(10)


def test_a_record_of_another_boot_is_no_process(files: ComponentFiles) -> None:
    process = files.spawn(SLEEPER, "started")
    files.run.write_text(json.dumps(json.loads(files.run.read_text()) | {"boot": "another"}))
    assert processes.running(files.run) is None
    assert processes.stop(files.run) == "not running"
    assert process.is_running()
    process.kill()
    process.wait(10)


def test_a_record_by_start_time_is_still_found(files: ComponentFiles) -> None:
    process = files.spawn(SLEEPER, "started")
    files.run.write_text(json.dumps({"pid": process.pid, "started": process.create_time() - 100}))
    assert processes.running(files.run) is None
    files.run.write_text(json.dumps({"pid": process.pid, "started": process.create_time()}))
    assert processes.running(files.run) is not None
    assert processes.stop(files.run) == "stopped"


def test_no_wall_clock_tells_whether_it_is_the_same_process(
    files: ComponentFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.spawn(SLEEPER, "started")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)
    record = processes.recorded(files.run)
    assert record is not None
    assert record.process() is not None
    assert 0 <= record.identity.seconds < 60


def test_one_that_ignores_sigterm_is_killed(files: ComponentFiles) -> None:
    process = files.spawn(STUBBORN, "deaf")
    assert processes.stop(files.run, seconds=0.2) == "killed"
    assert not process.is_running()


def test_what_a_crashed_component_left_behind_is_stopped(files: ComponentFiles) -> None:
    process = files.spawn(PARENT, "parent")
    (child,) = process.children()
    process.kill()
    process.wait(10)
    assert child.is_running()
    processes.stop(files.run)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_frozen_process_is_killed_with_its_children_and_not_waited_for(files: ComponentFiles) -> None:
    process = files.spawn(PARENT, "parent")
    (child,) = process.children()
    for victim in (process, child):
        victim.suspend()
    assert processes.stop(files.run, seconds=600) == "killed"
    assert not psutil.pid_exists(process.pid)
    assert _ended(child)


def test_what_a_collected_parent_left_in_its_session_is_stopped_and_the_record_may_stay(files: ComponentFiles) -> None:
    process = files.spawn(PARENT, "parent")
    (child,) = process.children()
    process.kill()  # and not waited for: it stays a zombie, whose PID is still its session's
    _until(lambda: processes.running(files.run) is None)
    assert processes.stop(files.run, keep_record=True) == "killed"
    assert _ended(child)
    assert files.run.exists()


def _ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"pid": "x"}'])
def test_a_damaged_record_is_no_process(tmp_path: Path, text: str) -> None:
    file = tmp_path / "c.json"
    file.write_text(text)
    assert processes.running(file) is None


def test_a_large_log_is_rotated_at_the_next_start(files: ComponentFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_LIMIT_BYTES", 10)
    files.log.parent.mkdir(parents=True)
    files.log.write_text("x" * 100)
    files.spawn(SLEEPER, "started")
    assert files.log.with_suffix(".log.1").read_text() == "x" * 100
    assert "x" not in files.log.read_text()
