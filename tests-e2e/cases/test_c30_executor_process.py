"""C30: an executor process that is killed takes no queue with it."""

from pathlib import Path

import psutil
import pytest

from harness.moves import deposit, in_mart
from harness.native_driver import NativeDriver
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

KILLS = 3
MOVES_SECONDS = 60


def _waits_in_a_pipe(process: psutil.Process) -> bool:
    return "pipe" in Path(f"/proc/{process.pid}/wchan").read_text()


def _victim(stack: NativeDriver) -> psutil.Process | None:
    """An executor process; where several share one queue, the one that reads its pipe and so holds its lock."""
    processes = stack.executor_processes()
    return next((process for process in processes if _waits_in_a_pipe(process)), next(iter(processes), None))


def test_loads_move_after_an_executor_process_was_killed(native: NativeDriver) -> None:
    for _ in range(KILLS):
        transaction = deposit(native)
        until("an executor process is there", lambda: _victim(native), seconds=60, every=0.005).kill()
        until(
            f"deposit {transaction} is in the mart",
            lambda transaction=transaction: in_mart(native, transaction),
            seconds=MOVES_SECONDS,
            every=0.5,
        )
