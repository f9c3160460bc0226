"""The drills' stack: the suite's own, under `bank up --watch`."""

from collections.abc import Iterator

import pytest

from harness.driven import DrivenStack
from harness.native import NativeStack
from harness.reconcile import until_converged


@pytest.fixture
def watched(stack: DrivenStack) -> Iterator[NativeStack]:
    """Converged before the drill, and nothing is restarted by hand within it."""
    assert isinstance(stack, NativeStack), "drills send signals to processes of this machine"
    until_converged(stack)
    with stack.watched():
        yield stack
