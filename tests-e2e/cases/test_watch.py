"""`bank up --watch`: marts move again within a minute of a part's death or standstill, and nobody lends a hand."""

import pytest

from bankctl.devstack.supervision import processes
from harness.moves import deposit, in_mart, moves
from harness.native_driver import NativeDriver
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(900)]

MOVES_SECONDS = 60
REPLACED_SECONDS = 90
"""Its bound, a probe's timeouts, and its start."""


def _another(stack: NativeDriver, component: str, pid: int) -> bool:
    process = processes.running(stack.stack.run_file(component))
    return process is not None and process.pid != pid


@pytest.mark.parametrize("component", ["airflow-api", "airflow-scheduler", "airflow-dag-processor", "cdc-consumer"])
def test_what_is_killed_comes_back(native: NativeDriver, component: str) -> None:
    before = native.process(component)
    transaction = deposit(native)
    before.kill()
    until("the deposit is in the mart", lambda: in_mart(native, transaction), seconds=MOVES_SECONDS, every=0.5)
    until("it runs again", lambda: _another(native, component, before.pid), seconds=REPLACED_SECONDS)


@pytest.mark.parametrize("component", ["airflow-scheduler", "airflow-dag-processor", "event-receiver"])
def test_what_is_frozen_is_replaced(native: NativeDriver, component: str) -> None:
    before = native.process(component)
    for process in (before, *before.children(recursive=True)):
        process.suspend()
    transaction = deposit(native)
    until(
        "another process has its place",
        lambda: _another(native, component, before.pid),
        seconds=REPLACED_SECONDS,
        every=0.5,
    )
    until("the deposit is in the mart", lambda: in_mart(native, transaction), seconds=MOVES_SECONDS, every=0.5)
    moves(native, seconds=MOVES_SECONDS)
