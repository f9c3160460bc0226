"""What every case stands on: a native stack that is converged before it and converges again after it, unattended."""

from collections.abc import Iterator

import pytest

from harness.native_driver import NativeDriver
from harness.reconcile import until_converged
from harness.stack_driver import StackDriver
from harness.waiting import until

CONVERGES_SECONDS = 240


@pytest.fixture(scope="session")
def supervised(stack: StackDriver) -> Iterator[NativeDriver]:
    """The stack under `bank up --watch`: no case restarts anything by hand."""
    assert isinstance(stack, NativeDriver), "cases send signals to processes of this machine"
    with stack.watched():
        yield stack


@pytest.fixture
def native(supervised: NativeDriver) -> Iterator[NativeDriver]:
    """The stack before a fault. After the case: marts equal Postgres, RAW equals Kafka, all healthy, status green."""
    stack = supervised
    until_converged(stack, CONVERGES_SECONDS)
    yield stack
    until_converged(stack, CONVERGES_SECONDS)
    until("bank status is green again", lambda: stack.status()[0] == 0, seconds=90, every=2.0, state=stack.status)
