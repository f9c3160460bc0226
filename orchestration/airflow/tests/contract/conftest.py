"""The real warehouse and object store of the test stack."""

from collections.abc import Iterator

import pytest
from load_world.stack import Stack, World
from load_world.stack import stack as start_session
from load_world.stack import world as make_world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "contract" in item.path.parts:
            item.add_marker(pytest.mark.contract)


@pytest.fixture(scope="session")
def running() -> Iterator[Stack]:
    """The stack with a database of this session's own."""
    with start_session() as found:
        yield found


@pytest.fixture
def world(running: Stack) -> Iterator[World]:
    """A bucket and empty tables of this test's own."""
    with make_world(running) as found:
        yield found
