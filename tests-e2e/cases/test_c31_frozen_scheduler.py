"""C31: a scheduler that lives and does nothing, and a database that goes away under it."""

import psutil
import pytest

from bankctl.devstack.supervision import processes
from harness.moves import deposit, moves
from harness.native_driver import NativeDriver
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

MOVES_SECONDS = 60
ENDED_SECONDS = 45
BACK_SECONDS = 90


def _ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _back(stack: NativeDriver, component: str, died: int) -> None:
    """A new process of the component is healthy."""

    def healthy() -> bool:
        process = processes.running(stack.stack.run_file(component))
        return process is not None and process.pid != died and stack.health()[component]

    until(f"{component} is back", healthy, seconds=BACK_SECONDS, every=0.5)


def test_a_frozen_scheduler_is_ended_by_its_parent_and_replaced(native: NativeDriver) -> None:
    parent = native.process("airflow-scheduler")
    scheduler = native.descendants("airflow-scheduler", "airflow", "scheduler")[0]
    with native.frozen(scheduler):
        until("the scheduler's parent has ended it and itself", lambda: _ended(parent), seconds=ENDED_SECONDS)
        assert _ended(scheduler)
    _back(native, "airflow-scheduler", parent.pid)
    moves(native, seconds=MOVES_SECONDS)


def test_a_frozen_parent_is_no_end(native: NativeDriver) -> None:
    with native.frozen(native.process("airflow-scheduler")):
        moves(native, seconds=MOVES_SECONDS)
    moves(native, seconds=MOVES_SECONDS)


def test_the_platforms_database_dies_while_an_executor_process_is_lost(native: NativeDriver) -> None:
    deposit(native)
    native.kill_descendant("airflow-scheduler", "airflow task --", seconds=MOVES_SECONDS)
    died = native.process("platform-postgres").pid
    native.kill("platform-postgres")
    _back(native, "platform-postgres", died)
    moves(native, seconds=MOVES_SECONDS)
