import pytest
from consumer_testing.real import Sandbox, environment


@pytest.fixture
def sandbox() -> Sandbox:
    """This test's corner of the real stack. An error, never a skip, when there is none."""
    return Sandbox(environment())
