"""The stack that the suite drives: native processes or containers, started once, left for `make` to take down."""

from collections.abc import Iterator

import pytest

from harness.compose_driver import ComposeDriver
from harness.native_driver import NativeDriver
from harness.reconcile import until_converged
from harness.stack_driver import StackDriver


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--stack`: the same scenarios on either stack."""
    parser.addoption("--stack", choices=("native", "compose"), default="native", help="what runs the components")


@pytest.fixture(scope="session")
def shell() -> dict[str, str]:
    """What the shell has, that the native stack is started from, beside this process's environment."""
    return {}


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, shell: dict[str, str]) -> Iterator[StackDriver]:
    """The whole stack with a first seeded run of the bank in it."""
    if request.config.getoption("--stack") == "native":
        native: StackDriver = NativeDriver(shell)
        _prepare(native)
        yield native
        return
    composed = ComposeDriver()
    try:
        _prepare(composed)
        yield composed
    finally:
        if request.session.testsfailed:
            print("".join(composed.compose.get_logs())[-20_000:])
        composed.down()


def _prepare(driver: StackDriver) -> None:
    driver.up()
    driver.generate("--seed", "7", "--customers", "20", "--transactions", "200")


@pytest.fixture
def converged(stack: StackDriver) -> StackDriver:
    """The stack with everything committed so far in the marts."""
    until_converged(stack)
    return stack
