from collections.abc import Iterator
from pathlib import Path

import pytest
from loads import LoadingServer
from support import Server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--account", choices=("local", "real"), default="local", help="Run the conformance files against SNOWFLAKE_*."
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(Path(tmp_path_factory.mktemp("warehouse"))).start()
    yield running
    running.end()


@pytest.fixture
def loading(tmp_path: Path) -> Iterator[LoadingServer]:
    """A server of its own, with what a load needs: it may be killed."""
    running = LoadingServer(tmp_path).prepare()
    yield running
    running.end()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadingServer]:
    """Share one server among all tests of a file."""
    running = LoadingServer(Path(tmp_path_factory.mktemp("warehouse"))).prepare()
    yield running
    running.end()
