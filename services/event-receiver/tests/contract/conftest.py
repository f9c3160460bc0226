import pytest
from component_testing.stack import running_stack

from bankctl.stack.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The running test stack; an error, never a skip, when there is none."""
    return running_stack()
