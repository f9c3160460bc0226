"""The parent on real processes: what ends it, with which exit code, and that nothing below it is left."""

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

SECONDS = 30.0


class Sandbox:
    """A parent, and a database whose heartbeat goes on until it is told to stand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._standing = threading.Event()
        (folder / "queued").touch()
        (folder / "api").touch()
        self.beat()
        self._beats = threading.Thread(target=self._go_on, daemon=True)
        self._beats.start()
        self.parent = self.start()

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "scheduling_testing.parent", str(self.folder)]
        path = os.pathsep.join(sys.path)
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.PIPE, text=True)

    def beat(self) -> None:
        self._write("database", str(time.monotonic()))

    def stand(self) -> None:
        self._standing.set()
        self._beats.join()

    def queue(self, attempt: str) -> None:
        self._write("queued", attempt)

    def family(self) -> list[psutil.Process]:
        """Scheduler, worker and a stray of another session, once they run."""
        _until(lambda: (self.folder / "scheduler").exists() and (self.folder / "scheduler").read_text() != "")
        return [psutil.Process(int((self.folder / name).read_text())) for name in ("scheduler", "worker", "stray")]

    def _write(self, name: str, text: str) -> None:
        (self.folder / f"{name}.new").write_text(text)
        (self.folder / f"{name}.new").replace(self.folder / name)

    def _go_on(self) -> None:
        for _ in itertools.count():
            if self._standing.wait(0.05):
                return
            self.beat()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path)
    yield sandbox
    sandbox.stand()
    left = [sandbox.parent.pid, *(process.pid for process in psutil.Process().children(recursive=True))]
    for pid in left:
        if psutil.pid_exists(pid):
            psutil.Process(pid).kill()
    sandbox.parent.wait(SECONDS)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_scheduler_that_is_killed_takes_all_below_it_along(sandbox: Sandbox) -> None:
    family = sandbox.family()
    _until(lambda: next(sandbox.folder.rglob("scheduling.job"), None) is not None)  # it knows which job is to be ended
    family[0].kill()
    assert sandbox.parent.wait(SECONDS) == 1
    assert not any(map(_lives, family))
    assert (sandbox.folder / "ended").read_text() == "7"


def test_a_frozen_scheduler_is_killed_with_all_below_it(sandbox: Sandbox) -> None:
    family = sandbox.family()
    for process in family:
        process.suspend()
    sandbox.stand()
    assert sandbox.parent.wait(SECONDS) == 1
    assert not any(map(_lives, family))


def test_a_task_that_nobody_takes_ends_it(sandbox: Sandbox) -> None:
    family = sandbox.family()
    sandbox.queue("load/1")
    assert sandbox.parent.wait(SECONDS) == 1
    assert not any(map(_lives, family))


def test_a_queued_task_blames_nobody_while_the_api_server_is_away(sandbox: Sandbox) -> None:
    (sandbox.folder / "api").unlink()
    sandbox.family()
    sandbox.queue("load/1")
    with pytest.raises(subprocess.TimeoutExpired):
        sandbox.parent.wait(2)
    (sandbox.folder / "api").touch()
    assert sandbox.parent.wait(SECONDS) == 1


def test_a_database_that_is_away_blames_nobody_until_it_is_back(sandbox: Sandbox) -> None:
    sandbox.family()
    sandbox.stand()
    (sandbox.folder / "database").unlink()
    with pytest.raises(subprocess.TimeoutExpired):
        sandbox.parent.wait(2)
    sandbox.beat()
    assert sandbox.parent.wait(SECONDS) == 1


def test_it_ends_well_when_asked_and_leaves_nothing(sandbox: Sandbox) -> None:
    family = sandbox.family()
    sandbox.parent.terminate()
    assert sandbox.parent.wait(10) == 0
    assert not any(map(_lives, family))


def test_it_ends_when_asked_although_the_scheduler_is_frozen(sandbox: Sandbox) -> None:
    family = sandbox.family()
    family[0].suspend()
    sandbox.parent.terminate()
    assert sandbox.parent.wait(SECONDS) == 0
    assert not any(map(_lives, family))


def test_the_scheduler_does_not_outlive_a_killed_parent(sandbox: Sandbox) -> None:
    family = sandbox.family()
    sandbox.parent.kill()
    _until(lambda: not _lives(family[0]))
    for process in family[1:]:  # not made by the executor, so the kernel knows nothing of them
        process.kill()


def test_a_second_parent_on_the_same_home_is_refused(sandbox: Sandbox) -> None:
    sandbox.family()
    second = sandbox.start()
    _, said = second.communicate(timeout=SECONDS)
    assert second.returncode == 1
    assert "Another scheduler runs on" in said
