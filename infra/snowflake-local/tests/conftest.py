from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--account", choices=("local", "real"), default="local", help="Run the conformance files against SNOWFLAKE_*."
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(Path(tmp_path_factory.mktemp("warehouse"))).start()
    yield running
    running.stop()
