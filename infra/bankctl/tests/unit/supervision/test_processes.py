import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bankctl.supervision import processes

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


class Place:
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
        while says not in processes.log_tail(self.log):
            assert time.monotonic() < deadline, processes.log_tail(self.log)
            time.sleep(0.02)
        return process


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    processes.stop(found.run, seconds=0.1)


def test_a_process_is_recorded_found_and_stopped(place: Place) -> None:
    process = place.spawn(SLEEPER, "started")
    assert (found := processes.running(place.run)) is not None
    assert found.pid == process.pid
    assert place.run.stat().st_mode & 0o777 == 0o600
    assert processes.memory_bytes(found) > 0
    assert processes.stop(place.run) == "stopped"
    assert not psutil.pid_exists(process.pid)
    assert not place.run.exists()
    assert processes.stop(place.run) == "not running"


def test_another_process_with_the_same_pid_is_never_touched(place: Place) -> None:
    process = place.spawn(SLEEPER, "started")
    record = json.loads(place.run.read_text())
    place.run.write_text(json.dumps(record | {"started": record["started"] - 100}))
    assert processes.running(place.run) is None
    assert processes.stop(place.run) == "not running"
    assert process.is_running()
    process.kill()
    process.wait(10)


def test_one_that_ignores_sigterm_is_killed(place: Place) -> None:
    process = place.spawn(STUBBORN, "deaf")
    assert processes.stop(place.run, seconds=0.2) == "killed"
    assert not process.is_running()


def test_what_a_crashed_component_left_behind_is_stopped(place: Place) -> None:
    process = place.spawn(PARENT, "parent")
    (child,) = process.children()
    process.kill()
    process.wait(10)
    assert child.is_running()
    processes.stop(place.run)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"pid": "x"}'])
def test_a_damaged_record_is_no_process(tmp_path: Path, text: str) -> None:
    file = tmp_path / "c.json"
    file.write_text(text)
    assert processes.running(file) is None


def test_a_large_log_is_rotated_at_the_next_start(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_LIMIT_BYTES", 10)
    place.log.parent.mkdir(parents=True)
    place.log.write_text("x" * 100)
    place.spawn(SLEEPER, "started")
    assert place.log.with_suffix(".log.1").read_text() == "x" * 100
    assert "x" not in place.log.read_text()
