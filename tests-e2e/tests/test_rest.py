"""A quiet bank rests (I25): heartbeats go on, are landed and loaded rarely, and never wake a build."""

import os
import time

import pytest

from harness.stack_driver import StackDriver

pytestmark = pytest.mark.e2e
IDLE_SECONDS = int(os.environ.get("E2E_IDLE_SECONDS", "25"))


def _loaded_heartbeats(stack: StackDriver) -> int:
    return stack.number("select count(*) from BANK.RAW.SOURCE_TRANSACTIONS where EVENT_COUNT = 0")


@pytest.mark.timeout(IDLE_SECONDS + 300)
def test_heartbeats_wake_no_build(converged: StackDriver) -> None:
    stack = converged
    settled = _settled_builds(stack)
    heartbeats = _loaded_heartbeats(stack)
    deadline = time.monotonic() + IDLE_SECONDS
    while time.monotonic() < deadline:
        assert _builds(stack) == settled, "a build ran although no captured table changed"
        time.sleep(1)
    print(f"\n{IDLE_SECONDS} idle seconds: 0 builds, {_loaded_heartbeats(stack) - heartbeats} heartbeats loaded")


def _builds(stack: StackDriver) -> set[str]:
    return {run["dag_run_id"] for run in stack.dag_runs("build_marts")}


def _settled_builds(stack: StackDriver) -> set[str]:
    """The builds so far, once none is queued or running and none was added for five seconds."""
    deadline = time.monotonic() + 120
    seen, since = _builds(stack), time.monotonic()
    while time.monotonic() < deadline:
        now = _builds(stack)
        if stack.active_builds() or now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > 5:
            return seen
        time.sleep(0.5)
    raise AssertionError("builds did not settle within 120 s of the last change")
