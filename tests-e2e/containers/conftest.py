"""The client of the container engine for all tests of images."""

from collections.abc import Iterator

import docker
import pytest


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The container engine; without one these tests fail, they are never skipped."""
    client = docker.from_env()
    client.ping()
    yield client
    client.close()
