"""What `bank up` finds running is left alone when it answers, and replaced when it has not for too long, or when it
runs from something else than what is there now."""

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from bankctl.devstack.components.component import Component
from bankctl.devstack.supervision import processes, up
from bankctl.devstack.supervision.crashes import ComponentDiedError
from bankctl.devstack.supervision.launch import launch
from bankctl.devstack.supervision.report import Reporter
from bankctl.devstack.supervision.step_runner import Cancelled
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


def _restarted(stack: Stack, component: Component) -> str:
    """What `up` said when it started a running component again; empty when it left it alone."""
    before = processes.running(stack.run_file("c"))
    assert before is not None
    said = _up(stack, component)
    assert (processes.running(stack.run_file("c")) == before) == ("c: was already running" in said)
    return "" if "was already running" in said else said


def test_what_runs_from_code_that_has_changed_is_started_again_and_the_change_is_named(stack: Stack) -> None:
    component = replace(COMPONENT, runs_from=("src", "uv.lock"))
    module = stack.root / "src" / "room" / "module.py"
    module.parent.mkdir(parents=True)
    module.write_text("a = 1")
    _up(stack, component)
    assert not _restarted(stack, component)
    module.write_text("a = 2")
    assert "c: changed since it was started: src; started again" in _restarted(stack, component)
    assert not _restarted(stack, component)
    (stack.root / "uv.lock").write_text("")
    module.rename(module.with_name("renamed.py"))
    assert "c: changed since it was started: src, uv.lock; started again" in _restarted(stack, component)
    compiled = module.parent / "__pycache__" / "renamed.pyc"
    compiled.parent.mkdir()
    compiled.write_text("")
    assert not _restarted(stack, component)


def test_so_is_what_runs_with_other_settings_or_another_command(stack: Stack) -> None:
    _up(stack, COMPONENT)
    told = replace(COMPONENT, environment=lambda _stack: {"PACE": "1"})
    assert "changed since it was started: PACE;" in _restarted(stack, told)
    quicker = replace(COMPONENT, environment=lambda _stack: {"PACE": "2"})
    said = _restarted(stack, quicker)
    assert "changed since it was started: PACE;" in said
    assert "2" not in said.partition("PACE")[2].partition("\n")[0]
    longer = replace(quicker, command=lambda _stack: [sys.executable, "-c", BEATING, "more"])
    assert "changed since it was started: its command line;" in _restarted(stack, longer)


def test_another_terminal_is_no_reason_to_start_anything_again(stack: Stack) -> None:
    component = replace(COMPONENT, environment=lambda _stack: {"PATH": os.environ["PATH"]})
    _up(stack, component)
    other = replace(
        COMPONENT,
        command=lambda _stack: [str(Path(sys.executable).with_name("python")), "-c", BEATING],
        environment=lambda _stack: {"PATH": f"/elsewhere:{os.environ['PATH']}"},
    )
    assert not _restarted(stack, other)


def test_what_an_earlier_version_started_is_started_again(stack: Stack) -> None:
    _up(stack, COMPONENT)
    file = stack.run_file("c")
    record = json.loads(file.read_text())
    del record["fingerprint"]
    file.write_text(json.dumps(record))
    assert "the version of `bank` that started it; started again" in _restarted(stack, COMPONENT)


def test_what_is_started_again_gets_what_a_start_needs(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is made equal to its lock, as before any start."""
    component = replace(COMPONENT, node=Node("snowflake", needs=("env:snowflake-local",)), runs_from=("src",))
    launch(stack, component)
    (stack.root / "src").write_text("changed")
    seen: list[list[str]] = []

    def tasks_for(_selected: object, starting: Iterable[Component], _available: object) -> list[object]:
        seen.append([component.name for component in starting])
        raise LookedAtError

    monkeypatch.setattr(up, "chosen", lambda *_: [component])
    monkeypatch.setattr(up, "require_free", lambda *_: None)
    monkeypatch.setattr(up, "tasks_for", tasks_for)
    try:
        with pytest.raises(LookedAtError):
            up.up(stack, Reporter(Console(file=io.StringIO())))
    finally:
        processes.stop(stack.run_file("snowflake"), seconds=0.1)
    assert seen == [["snowflake"]]


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
