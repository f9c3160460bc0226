"""The real warehouse and object store of the test stack."""

from collections.abc import Iterator

import pytest
from loading_testing.stack import Sandbox, Stack
from loading_testing.stack import sandbox as make_sandbox
from loading_testing.stack import stack as start_session


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "contract" in item.path.parts:
            item.add_marker(pytest.mark.contract)


@pytest.fixture(scope="session")
def running() -> Iterator[Stack]:
    """The stack with a database of this session's own."""
    with start_session() as session:
        yield session


@pytest.fixture
def sandbox(running: Stack) -> Iterator[Sandbox]:
    """A bucket and empty tables of this test's own."""
    with make_sandbox(running) as made:
        yield made
