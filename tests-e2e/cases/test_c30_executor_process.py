"""C30: an executor process that is killed takes no queue with it."""

from pathlib import Path

import psutil
import pytest

from harness.moves import moves
from harness.native import NativeStack

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

MOVES_SECONDS = 60


def _waits_in_a_pipe(process: psutil.Process) -> bool:
    return "pipe" in Path(f"/proc/{process.pid}/wchan").read_text()


def test_loads_move_after_an_executor_process_was_killed(native: NativeStack) -> None:
    processes = native.executor_processes()
    # With one queue for all, the process that reads its pipe holds the queue's lock: it is the worst to lose.
    victims = [process for process in processes if _waits_in_a_pipe(process)] or processes
    assert victims, "the executor has no process"
    victims[0].kill()
    moves(native, seconds=MOVES_SECONDS)
