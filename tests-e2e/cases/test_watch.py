"""`bank up --watch`: marts move again within a minute of a part's death or standstill, and nobody lends a hand."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.driven import ROOT
from harness.moves import deposit, in_mart, moves
from harness.native import NativeStack
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(900)]

MOVES_SECONDS = 60
REPLACED_SECONDS = 90
"""Its bound, a probe's timeouts, and its start."""


@pytest.fixture
def watched(native: NativeStack) -> Iterator[NativeStack]:
    """The stack under a watcher."""
    log = native.stack.state_dir / "log" / "watch.log"
    with log.open("wb") as output:
        watcher = subprocess.Popen([sys.executable, "-m", "bankctl", "up", "--watch"], cwd=ROOT, stdout=output)
        try:
            until("it watches", lambda: "watching" in log.read_text(), seconds=180, state=log.read_text)
            yield native
            # It ends at once, with success, and leaves all running.
            watcher.send_signal(signal.SIGTERM)
            assert watcher.wait(30) == 0
            assert "what runs keeps running" in log.read_text()
        finally:
            if watcher.poll() is None:
                watcher.kill()
            print(log.read_text())


@pytest.mark.parametrize("component", ["airflow-api", "airflow-scheduler", "airflow-dag-processor", "cdc-consumer"])
def test_what_is_killed_comes_back(watched: NativeStack, component: str) -> None:
    before = watched.process(component)
    transaction = deposit(watched)
    before.kill()
    until("the deposit is in the mart", lambda: in_mart(watched, transaction), seconds=MOVES_SECONDS, every=0.5)
    until("it runs again", lambda: watched.process(component).pid != before.pid, seconds=REPLACED_SECONDS)


@pytest.mark.parametrize("component", ["airflow-scheduler", "airflow-dag-processor", "event-receiver"])
def test_what_is_frozen_is_replaced(watched: NativeStack, component: str) -> None:
    before = watched.process(component)
    for process in (before, *before.children(recursive=True)):
        process.suspend()
    transaction = deposit(watched)
    until(
        "another process has its place",
        lambda: watched.process(component).pid != before.pid,
        seconds=REPLACED_SECONDS,
        every=0.5,
    )
    until("the deposit is in the mart", lambda: in_mart(watched, transaction), seconds=MOVES_SECONDS, every=0.5)
    moves(watched, seconds=MOVES_SECONDS)
