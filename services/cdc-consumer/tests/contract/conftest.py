import pytest
from consumer_testing.real import World, environment


@pytest.fixture
def world() -> World:
    """This test's corner of the real stack. An error, never a skip, when there is none."""
    return World(environment())
