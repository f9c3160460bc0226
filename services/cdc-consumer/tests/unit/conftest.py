import pytest
from consumer_testing.loop import World


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture) -> World:
    """A broker and a bucket in memory; what the loop logs is not shown."""
    caplog.set_level("CRITICAL")
    return World()
