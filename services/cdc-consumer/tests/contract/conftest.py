import pytest
from consumer_world.real import World, environment


@pytest.fixture
def world() -> World:
    """This test's corner of the real stack. An error, never a skip, when there is none."""
    return World(environment())
