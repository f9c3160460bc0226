"""The supervisor on real small processes; its time is the test's, so that no bound is waited for."""

import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from bankctl.devstack.components.component import Component
from bankctl.devstack.supervision import processes, watch
from bankctl.devstack.supervision.launch import launch
from bankctl.devstack.supervision.lock import exclusive, only_watcher
from bankctl.devstack.supervision.report import Reporter
from bankctl.devstack.supervision.watch import Watch
from bankctl.model.graph import Node
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import Stack

# Beats into its file ten times a second.
BEATING = """
import pathlib, time
while True:
    pathlib.Path("beat").write_text(str(time.monotonic()))
    time.sleep(0.1)
"""
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n{BEATING}"
DYING = "pass"


class Clock:
    """Real time, and what a test adds to it. Each look moves it on, as the pause between looks would."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.real = time.monotonic

    def monotonic(self) -> float:
        return self.real() + self.ahead


class WatchedStack:
    """Components of a scratch state directory, and a watch on them."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.stack = Stack(folder, folder, folder, BankctlSettings(), None)
        self.clock, self.said = clock, io.StringIO()
        self.components: dict[str, Component] = {}
        self.silent: set[str] = set()

    def add(
        self, name: str, program: str = BEATING, *, leans_on: tuple[str, ...] = (), hung_seconds: float = 30
    ) -> Component:
        component = Component(
            node=Node(name, leans_on=leans_on),
            command=lambda _stack: [sys.executable, "-c", program],
            probe=lambda stack: self._beats(stack, name),
            hung_seconds=hung_seconds,
            stop_seconds=0.5,
        )
        self.components[name] = component
        return component

    def start(self, name: str) -> psutil.Process:
        launch(self.stack, self.components[name])
        self.until(lambda: name in self.silent or self._beats(self.stack, name) is None)
        return self.process(name)

    def process(self, name: str) -> psutil.Process:
        running = processes.running(self.stack.run_file(name))
        assert running is not None
        return running

    def watch(self) -> Watch:
        return Watch(self.stack, Reporter(Console(file=self.said, width=200)), self.components)

    def look(self, supervisor: Watch, until: Callable[[], bool], *, pass_seconds: float = 2.0) -> None:
        """Look again and again, with `pass_seconds` of time between two looks."""

        def held() -> bool:
            self.clock.ahead += pass_seconds
            supervisor.look()
            return until()

        self.until(held)

    def look_for(self, supervisor: Watch, seconds: float) -> None:
        """Look every two seconds for so long."""
        end = self.clock.monotonic() + seconds
        self.look(supervisor, lambda: self.clock.monotonic() >= end)

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = self.clock.real() + 30
        while not holds():
            assert self.clock.real() < deadline, self.said.getvalue()
            time.sleep(0.02)

    def _beats(self, stack: Stack, name: str) -> str | None:
        beat = stack.data_dir(name) / "beat"
        fresh = beat.exists() and bool(text := beat.read_text()) and self.clock.real() - float(text) < 1.0
        return None if fresh and name not in self.silent else "no beat"


@pytest.fixture
def watched_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchedStack]:
    clock = Clock()
    monkeypatch.setattr(watch, "time", clock)
    prepared = WatchedStack(tmp_path, clock)
    yield prepared
    for name in prepared.components:
        processes.stop(prepared.stack.run_file(name), seconds=0.1)


def test_what_died_is_started_again_and_what_it_left_is_ended(watched_stack: WatchedStack) -> None:
    watched_stack.add("a", PARENT)
    first = watched_stack.start("a")
    (child,) = first.children()
    supervisor = watched_stack.watch()
    assert supervisor.look()
    first.kill()
    watched_stack.look(
        supervisor, lambda: (p := processes.running(watched_stack.stack.run_file("a"))) is not None and p != first
    )
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert "a: died" in watched_stack.said.getvalue()
    watched_stack.look(supervisor, lambda: "a: answers again" in watched_stack.said.getvalue())


def test_what_is_frozen_is_replaced_after_its_bound_with_its_whole_tree(watched_stack: WatchedStack) -> None:
    watched_stack.add("a", PARENT)
    first = watched_stack.start("a")
    (child,) = first.children()
    supervisor = watched_stack.watch()
    watched_stack.look(supervisor, lambda: supervisor.answers("a"))
    for process in (first, child):
        process.suspend()
    since = watched_stack.clock.monotonic()
    watched_stack.look(
        supervisor, lambda: (p := processes.running(watched_stack.stack.run_file("a"))) is not None and p != first
    )
    assert watched_stack.clock.monotonic() - since >= 30
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert "a: has not answered for 30 s (no beat); killed and started again" in watched_stack.said.getvalue()


def test_a_watcher_that_stood_itself_kills_nobody(watched_stack: WatchedStack) -> None:
    """Stopped for an hour, and everybody was slow at the moment when it went on."""
    watched_stack.add("a")
    first = watched_stack.start("a")
    supervisor = watched_stack.watch()
    watched_stack.look(supervisor, lambda: supervisor.answers("a"))
    watched_stack.silent.add("a")
    watched_stack.look(supervisor, lambda: not supervisor.answers("a"))
    watched_stack.clock.ahead += 3600
    watched_stack.look_for(supervisor, 12)
    watched_stack.silent.clear()
    watched_stack.look(supervisor, lambda: supervisor.answers("a"))
    assert watched_stack.process("a") == first


def test_nobody_is_replaced_for_the_silence_of_one_that_it_leans_on(watched_stack: WatchedStack) -> None:
    watched_stack.add("base", hung_seconds=600)
    watched_stack.add("leaning", leans_on=("base",))
    watched_stack.start("base")
    leaning = watched_stack.start("leaning")
    supervisor = watched_stack.watch()
    watched_stack.look(supervisor, lambda: supervisor.answers("base") and supervisor.answers("leaning"))
    watched_stack.silent.update(("base", "leaning"))
    watched_stack.look_for(supervisor, 150)
    assert watched_stack.process("leaning") == leaning
    watched_stack.silent.discard("base")
    watched_stack.look(
        supervisor, lambda: processes.running(watched_stack.stack.run_file("leaning")) not in (None, leaning)
    )


def test_a_dead_one_waits_for_what_it_leans_on(watched_stack: WatchedStack) -> None:
    watched_stack.add("base")
    watched_stack.add("leaning", leans_on=("base",))
    base, leaning = watched_stack.start("base"), watched_stack.start("leaning")
    supervisor = watched_stack.watch()
    watched_stack.look(supervisor, lambda: supervisor.answers("base") and supervisor.answers("leaning"))
    watched_stack.silent.add("base")
    for process in (base, leaning):
        process.kill()
        process.wait(10)
    watched_stack.look(supervisor, lambda: processes.running(watched_stack.stack.run_file("base")) not in (None, base))
    assert processes.running(watched_stack.stack.run_file("leaning")) is None
    assert "leaning: is started when base answers" in watched_stack.said.getvalue()
    watched_stack.silent.clear()
    watched_stack.look(
        supervisor, lambda: processes.running(watched_stack.stack.run_file("leaning")) not in (None, leaning)
    )


def test_one_that_dies_as_it_starts_is_started_further_and_further_apart(watched_stack: WatchedStack) -> None:
    watched_stack.add("a", DYING)
    watched_stack.silent.add("a")
    launch(watched_stack.stack, watched_stack.components["a"])
    supervisor = watched_stack.watch()
    begun = watched_stack.clock.monotonic()
    watched_stack.look(
        supervisor, lambda: "start 5 since it was last well" in watched_stack.said.getvalue(), pass_seconds=0.25
    )
    assert watched_stack.clock.monotonic() - begun >= 1 + 2 + 4 + 8


def test_two_that_are_silent_at_once_are_replaced_one_after_the_other(watched_stack: WatchedStack) -> None:
    watched_stack.add("a")
    watched_stack.add("b")
    before = {name: watched_stack.start(name) for name in ("a", "b")}
    supervisor = watched_stack.watch()
    watched_stack.look(supervisor, lambda: supervisor.answers("a") and supervisor.answers("b"))
    watched_stack.silent.update(before)

    def replaced() -> list[str]:
        return [
            name for name in before if processes.running(watched_stack.stack.run_file(name)) not in (None, before[name])
        ]

    watched_stack.look(supervisor, lambda: bool(replaced()))
    (one,) = replaced()
    watched_stack.look_for(supervisor, 60)
    assert replaced() == [one]
    watched_stack.silent.discard(one)
    watched_stack.look(supervisor, lambda: len(replaced()) == len(before))


def test_what_down_stopped_stays_stopped_and_then_the_watch_ends(watched_stack: WatchedStack) -> None:
    watched_stack.add("a")
    watched_stack.add("b")
    watched_stack.start("a")
    kept = watched_stack.start("b")
    supervisor = watched_stack.watch()
    watched_stack.look(supervisor, lambda: supervisor.answers("a") and supervisor.answers("b"))
    processes.stop(watched_stack.stack.run_file("a"))
    watched_stack.look(supervisor, lambda: not supervisor.answers("a"))
    assert processes.running(watched_stack.stack.run_file("a")) is None
    assert watched_stack.process("b") == kept
    processes.stop(watched_stack.stack.run_file("b"))
    supervisor.run(threading.Event())


def test_nothing_is_started_while_another_terminal_is_at_work(watched_stack: WatchedStack) -> None:
    watched_stack.add("a")
    first = watched_stack.start("a")
    supervisor = watched_stack.watch()
    watched_stack.look(supervisor, lambda: supervisor.answers("a"))
    with exclusive(watched_stack.stack):
        first.kill()
        first.wait(10)
        watched_stack.look_for(supervisor, 20)
        assert processes.running(watched_stack.stack.run_file("a")) is None
        # What another terminal stops has not died.
        assert "died" not in watched_stack.said.getvalue()
    watched_stack.look(supervisor, lambda: processes.running(watched_stack.stack.run_file("a")) is not None)


def test_nothing_is_replaced_while_another_terminal_is_at_work(watched_stack: WatchedStack) -> None:
    watched_stack.add("a")
    first = watched_stack.start("a")
    supervisor = watched_stack.watch()
    watched_stack.look(supervisor, lambda: supervisor.answers("a"))
    watched_stack.silent.add("a")
    with exclusive(watched_stack.stack):
        watched_stack.look_for(supervisor, 100)
        assert watched_stack.process("a") == first
    watched_stack.look(supervisor, lambda: processes.running(watched_stack.stack.run_file("a")) not in (None, first))


def test_ended_it_leaves_all_running(watched_stack: WatchedStack) -> None:
    watched_stack.add("a")
    first = watched_stack.start("a")
    supervisor, ended = watched_stack.watch(), threading.Event()
    ended.set()
    supervisor.run(ended)
    assert watched_stack.process("a") == first


def test_there_is_one_watcher_at_a_time(watched_stack: WatchedStack) -> None:
    with (
        only_watcher(watched_stack.stack),
        pytest.raises(Exception, match="Another `bank up --watch`"),
        only_watcher(watched_stack.stack),
    ):
        pass
