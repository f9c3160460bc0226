"""The executor on real processes: each end of a worker is reported, and nothing waits for a worker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.utils.state import TaskInstanceState

from bank_dags.scheduling import executor as module
from bank_dags.scheduling.executor import ProcessExecutor

FORKED_TASK = """
import os, sys, time
from pathlib import Path
from bank_dags.scheduling.worker import fork

def work():
    task = os.fork()  # as Airflow's supervisor forks the task
    if task == 0:
        time.sleep(600)
    Path(sys.argv[1], "task").write_text(str(task))
    os.waitpid(task, 0)

worker = fork(work)
Path(sys.argv[1], "worker").write_text(str(worker.pid))
time.sleep(600)
"""


@dataclass(frozen=True)
class Workload:
    """As much of Airflow's workload as an executor reads."""

    work: Callable[[], object]
    name: str = "load"
    running_state: None = None
    success_state: TaskInstanceState = TaskInstanceState.SUCCESS
    failure_state: TaskInstanceState = TaskInstanceState.FAILED

    @property
    def ti(self) -> SimpleNamespace:
        return SimpleNamespace(priority_weight=1)

    @property
    def key(self) -> TaskInstanceKey:
        return TaskInstanceKey("load_raw", self.name, "run", 1)

    display_name = "load_raw.load"


class OwnWork(ProcessExecutor):
    """Runs a workload's function instead of a task."""

    def _run(self, workload) -> None:
        workload.work()


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnWork]:
    monkeypatch.setattr(module, "preload", lambda: None)
    monkeypatch.setattr(module, "FINISH_SECONDS", 0.3)
    made = OwnWork(parallelism=2)
    made.start()
    yield made
    made.terminate()


def _begin(executor: OwnWork, *workloads: Workload) -> None:
    for workload in workloads:
        executor.queued_tasks[workload.key] = workload  # pyright: ignore[reportArgumentType]
    executor.heartbeat()


def _events(executor: OwnWork, count: int = 1) -> dict:
    deadline = time.monotonic() + 20
    events: dict = {}
    while len(events) < count:
        assert time.monotonic() < deadline, "no event"
        executor.heartbeat()
        events |= executor.get_event_buffer()
        time.sleep(0.01)
    return events


def _pid(executor: OwnWork, workload: Workload) -> int:
    return executor._workers[workload.key][1].pid


def _sleep() -> None:
    time.sleep(600)


def test_a_worker_that_ends_is_reported_and_frees_its_slot(executor: OwnWork) -> None:
    workload = Workload(lambda: None)
    _begin(executor, workload)
    assert executor.slots_available == 1
    assert _events(executor)[workload.key] == (TaskInstanceState.SUCCESS, None)
    assert executor.slots_available == 2


def test_an_error_is_reported_with_its_text(executor: OwnWork) -> None:
    def fail() -> None:
        raise ValueError("the token is not valid " + "x" * 100_000)

    workload = Workload(fail)
    _begin(executor, workload)
    state, reason = _events(executor)[workload.key]
    assert state == TaskInstanceState.FAILED
    assert reason.startswith("ValueError: the token is not valid")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_worker_is_reported_by_its_exit_alone(executor: OwnWork, number: signal.Signals) -> None:
    workload = Workload(_sleep)
    _begin(executor, workload)
    os.kill(_pid(executor, workload), number)
    state, reason = _events(executor)[workload.key]
    assert state == TaskInstanceState.FAILED
    assert number.name in reason


def test_a_frozen_worker_holds_up_no_other_and_goes_when_it_is_given_up(executor: OwnWork) -> None:
    frozen, other = Workload(_sleep, "frozen"), Workload(lambda: None, "other")
    _begin(executor, frozen)
    process = psutil.Process(_pid(executor, frozen))
    process.suspend()
    _begin(executor, other)
    assert other.key in _events(executor)
    # As the scheduler does with a task whose heartbeats stopped.
    executor.change_state(frozen.key, TaskInstanceState.FAILED, remove_running=True)
    assert executor.slots_available == 2
    while executor._given_up:
        executor.sync()
    assert not process.is_running()


def test_a_try_that_is_asked_for_anew_replaces_the_one_that_runs(executor: OwnWork) -> None:
    workload = Workload(_sleep)
    _begin(executor, workload)
    process = psutil.Process(_pid(executor, workload))
    _begin(executor, workload)
    assert _pid(executor, workload) != process.pid
    while executor._given_up:
        executor.sync()
    assert not process.is_running()


def test_no_more_than_the_slots_run(executor: OwnWork) -> None:
    _begin(executor, *(Workload(_sleep, f"task{number}") for number in range(5)))
    assert len(executor._workers) == 2
    assert len(executor.queued_tasks) == 3


def test_the_end_does_not_wait_for_a_frozen_worker(executor: OwnWork) -> None:
    workload = Workload(_sleep)
    _begin(executor, workload)
    process = psutil.Process(_pid(executor, workload))
    process.suspend()
    executor.end()
    psutil.wait_procs([process], timeout=10)
    assert not _lives(process)


@pytest.mark.parametrize("victim", ["scheduler", "worker"])
def test_a_task_does_not_outlive_who_watches_over_it(tmp_path: Path, victim: str) -> None:
    scheduler = subprocess.Popen([sys.executable, "-c", FORKED_TASK, str(tmp_path)])
    try:
        pids = {name: int(_written(tmp_path / name)) for name in ("worker", "task")}
        task = psutil.Process(pids["task"])
        os.kill(scheduler.pid if victim == "scheduler" else pids["worker"], signal.SIGKILL)
        deadline = time.monotonic() + 20
        while _lives(task):
            assert time.monotonic() < deadline, "the task lives on"
            time.sleep(0.01)
    finally:
        scheduler.kill()
        scheduler.wait()


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _written(path: Path) -> str:
    deadline = time.monotonic() + 20
    while not (path.exists() and (text := path.read_text())):
        assert time.monotonic() < deadline, f"{path.name} did not start"
        time.sleep(0.01)
    return text
