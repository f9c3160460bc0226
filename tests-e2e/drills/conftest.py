"""The drills' stack: the suite's own, under what restarts its components."""

from collections.abc import Iterator

import pytest

from harness.reconcile import until_converged
from harness.stack_driver import StackDriver


@pytest.fixture
def watched(stack: StackDriver) -> Iterator[StackDriver]:
    """Converged before the drill, and nothing is restarted by hand within it."""
    until_converged(stack)
    with stack.watched():
        yield stack
