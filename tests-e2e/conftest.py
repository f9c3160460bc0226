"""The stack that the suite drives: native processes or containers, started once, left for `make` to take down."""

from collections.abc import Iterator

import pytest

from harness.composed import ComposeStack
from harness.driven import DrivenStack
from harness.native import NativeStack
from harness.reconcile import until_converged


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--stack`: the same scenarios on either stack."""
    parser.addoption("--stack", choices=("native", "compose"), default="native", help="what runs the components")


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[DrivenStack]:
    """The whole stack with a first seeded run of the bank in it."""
    if request.config.getoption("--stack") == "native":
        driven: DrivenStack = NativeStack()
        _prepare(driven)
        yield driven
        return
    composed = ComposeStack()
    try:
        _prepare(composed)
        yield composed
    finally:
        if request.session.testsfailed:
            print("".join(composed.compose.get_logs())[-20_000:])
        composed.down()


def _prepare(driven: DrivenStack) -> None:
    driven.up()
    driven.generate("--seed", "7", "--customers", "20", "--transactions", "200")


@pytest.fixture
def converged(stack: DrivenStack) -> DrivenStack:
    """The stack with everything committed so far in the marts."""
    until_converged(stack)
    return stack
