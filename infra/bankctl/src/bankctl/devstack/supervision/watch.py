"""`bank up --watch`: starts again what died, replaces what is alive and does not answer, and leaves the rest alone.

What it watches is what has a run file: `bank down` takes that away, so nothing that was stopped by hand comes back,
and what another terminal starts is watched from then on. It acts under the lock of `up` and `down`, and looks again
before it does.
"""

import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from subprocess import SubprocessError
from typing import Final

import psutil

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components.component import Component
from bankctl.devstack.components.native import COMPONENTS
from bankctl.devstack.supervision import processes
from bankctl.devstack.supervision.identity import Identity
from bankctl.devstack.supervision.launch import launch
from bankctl.devstack.supervision.liveness import Backoff, Liveness
from bankctl.devstack.supervision.lock import exclusive
from bankctl.devstack.supervision.report import Reporter
from bankctl.stack.stack import Stack

LOOK_SECONDS: Final = 1.0
PROBE_SECONDS: Final = 5.0
_FAULTS: Final = (PipelineError, OSError, SubprocessError, psutil.Error)


@dataclass(slots=True)
class Watched:
    """A component with a run file: the recorded process, its probes and its starts."""

    component: Component
    identity: Identity
    liveness: Liveness
    backoff: Backoff = field(default_factory=Backoff)
    dead: bool = False
    reason: str | None = None
    probe: Future[str | None] | None = None
    next_probe: float = 0.0
    waits_for: str | None = None
    said_dead: bool = False


class Watch:
    """The supervisor. `look` is one round; `run` goes on until it is told to end, or nothing is left to watch."""

    def __init__(self, stack: Stack, report: Reporter, components: Mapping[str, Component] = COMPONENTS) -> None:
        self._stack, self._report, self._components = stack, report, components
        self._watched: dict[str, Watched] = {}
        self._probes = ThreadPoolExecutor(len(components), thread_name_prefix="probe")
        # Of a thread of its own: Ctrl-C reaches the main thread only, so it can't fall between start and record.
        self._actions = ThreadPoolExecutor(1, thread_name_prefix="action")
        self._action: Future[None] | None = None

    def run(self, ended: threading.Event) -> None:
        """Watch until `ended` is set, or `bank down` has stopped everything. What is being restarted then is recorded
        before this returns; no component is stopped."""
        try:
            while not ended.wait(LOOK_SECONDS) and self.look():
                pass
        finally:
            self._actions.shutdown(wait=True)
            self._probes.shutdown(wait=False, cancel_futures=True)

    def look(self) -> bool:
        """Do one round: read the records, probe, act. False when nothing is left to watch."""
        now = time.monotonic()
        self._observe(now)
        if not self._watched:
            return not self._stopped()
        if self._action is not None and not self._action.done():
            return True
        for name, watched in self._watched.items():
            self._probe(name, watched, now)
        due = [watched for watched in self._watched.values() if self._startable(watched, now)]
        due = due or self._replaceable(now)
        if due:
            self._action = self._actions.submit(self._restart, due)
        return True

    def answers(self, name: str) -> bool:
        """Tell whether a component is watched, lives and answered its last probe."""
        watched = self._watched.get(name)
        return watched is not None and not watched.dead and watched.liveness.answers

    # -- seeing ------------------------------------------------------------------------------------------------------

    def _observe(self, now: float) -> None:
        for name, component in self._components.items():
            record = processes.recorded(self._stack.run_file(name))
            if record is None:
                self._watched.pop(name, None)
                continue
            watched = self._watched.get(name)
            if watched is None or watched.identity != record.identity:
                liveness = Liveness(component.ready_seconds, component.hung_seconds, now - record.identity.seconds)
                fresh = Watched(component, record.identity, liveness)
                if watched is not None:
                    fresh.backoff = watched.backoff
                watched = self._watched[name] = fresh
            watched.dead = record.process() is None
            if watched.dead and not watched.said_dead and (self._action is None or self._action.done()):
                # Another terminal that stops it takes the record away a moment later: that is no death.
                watched.said_dead = not self._somebody_acts()
                if watched.said_dead:
                    self._report.line(f"{name}: died; `bank logs {name}` shows its last lines")

    def _probe(self, name: str, watched: Watched, now: float) -> None:
        if watched.probe is not None and watched.probe.done():
            self._heard(name, watched, now)
        if watched.probe is None and not watched.dead and now >= watched.next_probe:
            watched.next_probe = now + (LOOK_SECONDS if watched.liveness.starting else PROBE_SECONDS)
            watched.probe = self._probes.submit(watched.component.liveness, self._stack)

    def _heard(self, name: str, watched: Watched, now: float) -> None:
        assert watched.probe is not None  # noqa: S101 - the caller looked
        error = watched.probe.exception()
        watched.reason = watched.probe.result() if error is None else f"{type(error).__name__}: {error}"
        watched.probe = None
        if watched.reason is None:
            if watched.liveness.starting and watched.backoff.starts:
                self._report.line(f"{name}: answers again")
            watched.liveness.answered(now)
            if watched.liveness.steady(now):
                watched.backoff.well()
        elif self._silent(watched.component) is not None:
            # It is silent because of that one, or at least nobody can tell.
            watched.liveness.excuse()
        else:
            watched.liveness.failed(now)

    def _silent(self, component: Component) -> str | None:
        """The first component that it leans on and that does not answer, if any."""
        return next(
            (name for name in component.node.leans_on if name in self._watched and not self.answers(name)), None
        )

    def _startable(self, watched: Watched, now: float) -> bool:
        if not watched.said_dead or not watched.backoff.due(now):
            return False
        waits_for = self._silent(watched.component)
        if waits_for is not None and waits_for != watched.waits_for:
            self._report.line(f"{watched.component.name}: is started when {waits_for} answers")
        watched.waits_for = waits_for
        return waits_for is None

    def _replaceable(self, now: float) -> list[Watched]:
        """The component to replace: one at a time, and none while a restarted one is silent. If all are silent at once,
        the machine is the cause, and restarting everything would only load it more."""
        for watched in self._watched.values():
            young = now - watched.liveness.started < watched.component.ready_seconds
            if watched.backoff.starts and watched.liveness.starting and young and not watched.dead:
                return []
        hung = (watched for watched in self._watched.values() if not watched.dead and watched.liveness.hung(now))
        return [watched for watched in hung if watched.backoff.due(now)][:1]

    def _stopped(self) -> bool:
        """Tell whether `bank down` is done: nothing is recorded and nobody is at work."""
        return not self._somebody_acts() and not any(self._stack.run_file(name).exists() for name in self._components)

    def _somebody_acts(self) -> bool:
        """Tell whether `up` or `down` is at work in another terminal."""
        try:
            with exclusive(self._stack, patience_seconds=0):
                return False
        except PipelineError:
            return True

    # -- acting ------------------------------------------------------------------------------------------------------

    def _restart(self, due: list[Watched]) -> None:
        try:
            with exclusive(self._stack, patience_seconds=0):
                for watched in due:
                    self._launch(watched)
        except PipelineError:
            return  # another terminal is at work: the next round sees what it has done

    def _launch(self, watched: Watched) -> None:
        name = watched.component.name
        record = processes.recorded(self._stack.run_file(name))
        if record is None or record.identity != watched.identity or (record.process() is None) != watched.dead:
            return  # stopped, started or died meanwhile
        if not watched.dead:
            silent = f"{watched.component.hung_seconds:.0f} s"
            self._report.line(f"{name}: has not answered for {silent} ({watched.reason}); killed and started again")
        watched.backoff.started(time.monotonic())
        try:
            process = launch(self._stack, watched.component)
        except _FAULTS as error:
            self._report.line(f"{name}: can't be started: {error}".splitlines()[0])
            return
        count = watched.backoff.starts
        again = f", start {count} since it was last well" if count > 1 else ""
        self._report.line(f"{name}: started, process {process.pid}{again}")


def watch(stack: Stack, report: Reporter) -> None:
    """Watch until SIGTERM or SIGINT, or until `bank down` has stopped everything. Components are left running."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    report.line("watching: what dies or does not answer is started again; Ctrl-C ends this and leaves all running")
    Watch(stack, report).run(ended)
    left = "what runs keeps running, `bank down` stops it" if ended.is_set() else "`bank down` has stopped everything"
    report.line(f"no longer watching: {left}")
