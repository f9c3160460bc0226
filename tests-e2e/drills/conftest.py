"""The drills' stack: the suite's own, under what restarts its components."""

from collections.abc import Iterator

import pytest

from harness.driven import DrivenStack
from harness.reconcile import until_converged


@pytest.fixture
def watched(stack: DrivenStack) -> Iterator[DrivenStack]:
    """Converged before the drill, and nothing is restarted by hand within it."""
    until_converged(stack)
    with stack.watched():
        yield stack
