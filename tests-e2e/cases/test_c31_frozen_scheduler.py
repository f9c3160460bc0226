"""C31: a scheduler that lives and does nothing, and a database that goes away under it."""

import psutil
import pytest

from harness.moves import deposit, moves
from harness.native import NativeStack
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

MOVES_SECONDS = 60
ENDED_SECONDS = 45


def _ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_frozen_scheduler_is_ended_by_its_parent(native: NativeStack) -> None:
    parent = native.process("airflow-scheduler")
    (scheduler,) = parent.children()
    with native.frozen(scheduler):
        until("the scheduler's parent has ended it and itself", lambda: _ended(parent), seconds=ENDED_SECONDS)
        assert _ended(scheduler)
    native.bank("up")
    moves(native, seconds=MOVES_SECONDS)


def test_a_frozen_parent_is_no_end(native: NativeStack) -> None:
    with native.frozen(native.process("airflow-scheduler")):
        native.bank("up", check=False)
        moves(native, seconds=MOVES_SECONDS)
    moves(native, seconds=MOVES_SECONDS)


def test_the_platforms_database_dies_while_an_executor_process_is_lost(native: NativeStack) -> None:
    deposit(native)
    native.kill_descendant("airflow-scheduler", "airflow task --", seconds=MOVES_SECONDS)
    native.kill("platform-postgres")
    native.bank("up")
    moves(native, seconds=MOVES_SECONDS)
