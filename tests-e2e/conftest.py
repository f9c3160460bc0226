"""The stack that the suite drives: started once by `bank up`, left for `make e2e` to take down."""

import pytest

from harness.native import NativeStack
from harness.reconcile import until_converged


@pytest.fixture(scope="session")
def stack() -> NativeStack:
    """The whole native stack with a first seeded run of the bank in it."""
    native = NativeStack()
    native.bank("up")
    native.generate("--seed", "7", "--customers", "20", "--transactions", "200")
    return native


@pytest.fixture
def converged(stack: NativeStack) -> NativeStack:
    """The stack with everything committed so far in the marts."""
    until_converged(stack)
    return stack
