"""C31: a scheduler that lives and does nothing, and a database that goes away under it."""

import pytest

from harness.moves import moves
from harness.native import NativeStack

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

MOVES_SECONDS = 60


def test_a_frozen_scheduler_is_no_end(native: NativeStack) -> None:
    with native.frozen(native.process("airflow-scheduler")):
        native.bank("up", check=False)
    moves(native, seconds=MOVES_SECONDS)


def test_the_platforms_database_dies_while_an_executor_process_is_lost(native: NativeStack) -> None:
    native.executor_processes()[0].kill()
    native.kill("platform-postgres")
    native.bank("up")
    moves(native, seconds=MOVES_SECONDS)
