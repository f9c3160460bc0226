"""A registry that is not there is something to wait for, whichever HTTP library its client speaks through."""

import socket

import pytest

from bank_common.runtime.settings import RegistrySettings
from cdc_consumer.adapters.registry import ConfluentRegistry
from cdc_consumer.failures import FailedError, RegistryUnavailable


@pytest.fixture
def away() -> ConfluentRegistry:
    """A client of a port on which nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    return ConfluentRegistry(RegistrySettings(url=f"http://127.0.0.1:{port}"), 1.0)


def test_a_refused_connection_is_the_registry_being_away(away: ConfluentRegistry) -> None:
    for call in (away.probe, lambda: away.schema(1)):
        with pytest.raises(FailedError) as caught:
            call()
        assert isinstance(caught.value.failure, RegistryUnavailable)
