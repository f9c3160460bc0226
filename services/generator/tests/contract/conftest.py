from collections.abc import Iterator

import pytest
from component_testing.stack import running_stack
from generator_testing.real import ScratchBank, scratch_bank

from bankctl.stack.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The running test stack; an error, never a skip, when there is none."""
    return running_stack()


@pytest.fixture
def bank(stack: Stack) -> Iterator[ScratchBank]:
    """An empty bank on the real Postgres."""
    with scratch_bank(stack) as scratch:
        yield scratch
