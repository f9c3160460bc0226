"""`bank up` and `bank down` run the graph: nothing begins before all that it must wait for has ended."""

import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from bankctl.devstack.components.native import COMPONENTS, TASKS
from bankctl.devstack.supervision.down import stop_steps
from bankctl.devstack.supervision.report import Reporter
from bankctl.devstack.supervision.step_runner import Cancelled, GraphStep, run
from bankctl.devstack.supervision.up import start_steps
from bankctl.model.graph import NODES, SECRETS, everything_before, users
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path, tmp_path, tmp_path, BankctlSettings(), None)


def _order(steps: list[GraphStep]) -> list[str]:
    """The names in the order in which their work ran, one after the other."""
    ran: list[str] = []

    def work(name: str, _cancelled: Cancelled) -> None:
        ran.append(name)

    run([replace(step, run=partial(work, step.name)) for step in steps], workers=1)
    return ran


def test_up_starts_everything_after_what_it_needs(stack: Stack) -> None:
    order = _order(start_steps(stack, COMPONENTS.values(), TASKS.values(), Reporter(Console(file=io.StringIO()))))
    assert set(order) == NODES.keys()
    for name in order:
        assert everything_before(name) - {SECRETS} <= set(order[: order.index(name)]), name


def test_down_stops_everything_after_its_users(stack: Stack) -> None:
    order = _order(stop_steps(stack, Reporter(Console(file=io.StringIO()))))
    assert set(order) == COMPONENTS.keys()
    for name in order:
        assert set(users(name)) <= set(order[: order.index(name)]), name
