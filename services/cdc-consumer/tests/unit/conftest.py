import pytest
from consumer_testing.loop import Harness


@pytest.fixture
def harness(caplog: pytest.LogCaptureFixture) -> Harness:
    """A broker and a bucket in memory; what the loop logs is not shown."""
    caplog.set_level("CRITICAL")
    return Harness()
