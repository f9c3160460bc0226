"""What `bank up` finds running is left alone when it answers, and replaced when it has not for too long."""

import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from bankctl.devstack.components.component import Component
from bankctl.devstack.supervision import processes, up
from bankctl.devstack.supervision.crashes import ComponentDiedError
from bankctl.devstack.supervision.graph import Cancelled
from bankctl.devstack.supervision.launch import launch
from bankctl.devstack.supervision.report import Reporter
from bankctl.devstack.supervision.up import bring_up
from bankctl.model.graph import Node
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import Stack

BEATING = """
import pathlib, time
while True:
    pathlib.Path("beat").write_text(str(time.monotonic()))
    time.sleep(0.05)
"""


def _probe(stack: Stack) -> str | None:
    beat = stack.data_dir("c") / "beat"
    fresh = beat.exists() and bool(text := beat.read_text()) and time.monotonic() - float(text) < 0.5
    return None if fresh else "no beat"


COMPONENT = Component(
    node=Node("c"),
    command=lambda _stack: [sys.executable, "-c", BEATING],
    probe=_probe,
    ready_seconds=3.0,
    stop_seconds=0.5,
    hung_seconds=1.0,
)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    yield (described := Stack(tmp_path, tmp_path, tmp_path, BankctlSettings(), None))
    processes.stop(described.run_file("c"), seconds=0.1)


def _up(stack: Stack, component: Component) -> str:
    said = io.StringIO()
    bring_up(stack, component, Reporter(Console(file=said, width=200)), Cancelled())
    return said.getvalue()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _past_its_start(stack: Stack, component: Component) -> None:
    record = processes.recorded(stack.run_file(component.name))
    assert record is not None
    _until(lambda: record.identity.seconds >= component.ready_seconds)


def test_what_answers_is_left_alone(stack: Stack) -> None:
    assert "c: ready in" in _up(stack, COMPONENT)
    before = processes.running(stack.run_file("c"))
    assert "c: was already running" in _up(stack, COMPONENT)
    assert processes.running(stack.run_file("c")) == before


def test_what_is_frozen_is_replaced(stack: Stack) -> None:
    _up(stack, COMPONENT)
    before = processes.running(stack.run_file("c"))
    assert before is not None
    _past_its_start(stack, COMPONENT)
    before.suspend()
    _until(lambda: _probe(stack) is not None)
    said = _up(stack, COMPONENT)
    assert "c: runs and has not answered for 1 s, no beat; replaced" in said
    assert "c: ready in" in said
    assert processes.running(stack.run_file("c")) not in (None, before)


def test_one_that_still_starts_is_waited_for_and_not_replaced(stack: Stack) -> None:
    def late(stack: Stack) -> str | None:
        record = processes.recorded(stack.run_file("c"))
        return None if record is not None and record.identity.seconds > 1.5 else "still starting"

    slow = replace(COMPONENT, probe=late, hung_seconds=0.3, ready_seconds=30)
    launch(stack, slow)
    before = processes.running(stack.run_file("c"))
    assert "c: was already running" in _up(stack, slow)
    assert processes.running(stack.run_file("c")) == before


def test_one_that_is_alive_and_not_ready_is_not_replaced(stack: Stack) -> None:
    _up(stack, COMPONENT)
    before = processes.running(stack.run_file("c"))
    _past_its_start(stack, COMPONENT)
    halted = replace(COMPONENT, probe=lambda _stack: "halted", alive=_probe)
    with pytest.raises(ComponentDiedError, match=r"was not ready after 3 s \(halted\)"):
        _up(stack, halted)
    assert processes.running(stack.run_file("c")) == before


def test_what_a_dead_one_left_is_ended_before_ports_are_looked_at(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    parent = replace(COMPONENT, node=Node("kafka"), command=lambda _stack: [sys.executable, "-c", orphan + BEATING])
    first = launch(stack, parent)
    _until(lambda: len(first.children()) == 1)
    (child,) = first.children()
    first.kill()
    first.wait(10)

    def looked_at(_stack: Stack, _components: object) -> None:
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
        raise LookedAtError

    monkeypatch.setattr(up, "require_free", looked_at)
    with pytest.raises(LookedAtError):
        up.up(stack, Reporter(Console(file=io.StringIO())), only=["kafka"])


class LookedAtError(Exception):
    """As far as this test goes."""
