"""`bank up`: everything as early as its needs allow, readiness probed, deaths reported with their log."""

import time
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Final

from bankctl.devstack.components.component import Component
from bankctl.devstack.components.native import COMPONENTS, Task, chosen, tasks_for
from bankctl.devstack.doctor import require_free
from bankctl.devstack.supervision import processes
from bankctl.devstack.supervision.crashes import ComponentDiedError, raise_if_dead
from bankctl.devstack.supervision.down import finish_wipe
from bankctl.devstack.supervision.fingerprint import changes, named
from bankctl.devstack.supervision.launch import HUNG_STOP_SECONDS, launch
from bankctl.devstack.supervision.liveness import Liveness
from bankctl.devstack.supervision.lock import exclusive
from bankctl.devstack.supervision.report import Reporter
from bankctl.devstack.supervision.step_runner import Cancelled, GraphStep, run
from bankctl.stack import environment
from bankctl.stack.stack import Stack

_PROBE_PAUSE_SECONDS: Final = 0.1
_REASON_SECONDS: Final = 15.0


def up(stack: Stack, report: Reporter, *, only: Collection[str] = (), without: Collection[str] = ()) -> None:
    """Start what was chosen and is not running yet, start again what runs from code or settings that have changed,
    replace what has not answered for too long, and wait until all of it is ready.

    Raises:
        PipelineError: something is missing on this machine, a component died or did not get ready, or provisioning
            failed. What runs by then keeps running; `down` stops it.
    """
    selected = chosen(only, without, stack)
    with exclusive(stack):
        finish_wipe(stack, report)
        alive = {name for name in COMPONENTS if processes.running(stack.run_file(name))}
        missing = [component for component in selected if component.name not in alive]
        for component in missing:
            # What one that died left behind still has its ports.
            processes.stop(stack.run_file(component.name), seconds=HUNG_STOP_SECONDS, keep_record=True)
        require_free(stack, missing)
        environment.write_all(stack)
        available = alive | ({"snowflake"} if stack.real_snowflake else set())
        starting = [*missing, *(component for component in selected if _outdated(stack, component))]
        tasks = tasks_for(selected, starting, available)
        run(start_steps(stack, selected, tasks, report), failed=partial(_say_failure, report))
        for component in selected:
            if processes.running(stack.run_file(component.name)) is None:
                raise ComponentDiedError(component.name, stack, "ended after it had been ready")


def start_steps(
    stack: Stack, components: Iterable[Component], tasks: Iterable[Task], report: Reporter
) -> list[GraphStep]:
    """Every start and every task, each after what the graph says."""
    steps = [_component_step(stack, component, report) for component in components]
    return steps + [_task_step(stack, task, report) for task in tasks]


def _say_failure(report: Reporter, step: GraphStep, error: BaseException) -> None:
    reason = (str(error) or repr(error)).splitlines()[0]
    report.line(f"{step.name}: failed ({reason}); what is under way ends first")


def _task_step(stack: Stack, task: Task, report: Reporter) -> GraphStep:
    def work(_cancelled: Cancelled) -> None:
        start = time.monotonic()
        task.run(stack, report.progress)
        if (seconds := time.monotonic() - start) >= 1:
            report.line(f"{task.name}: done in {seconds:.1f} s")

    return GraphStep(task.name, work, task.node.comes_after)


def _component_step(stack: Stack, component: Component, report: Reporter) -> GraphStep:
    return GraphStep(component.name, partial(bring_up, stack, component, report), component.node.comes_after)


def _outdated(stack: Stack, component: Component) -> Sequence[str]:
    """What a running component was started from and has changed since."""
    record = processes.recorded(stack.run_file(component.name))
    return [] if record is None or record.process() is None else changes(stack, component, record)


def bring_up(stack: Stack, component: Component, report: Reporter, cancelled: Cancelled) -> None:
    """Start a component unless it runs, start it again when it runs from what has changed, replace it when it is hung,
    and wait until it is ready.

    Raises:
        ComponentDiedError: it ended, or was not ready in time.
    """
    if cancelled:
        return
    start = time.monotonic()
    record = processes.recorded(stack.run_file(component.name))
    already = record is not None and record.process() is not None
    since = start - record.identity.seconds if record is not None and already else start
    running = Liveness(component.ready_seconds, component.hung_seconds, since)
    if changed := _outdated(stack, component):
        report.line(f"{component.name}: changed since it was started: {named(changed)}; started again")
        processes.stop(stack.run_file(component.name), seconds=component.stop_seconds, keep_record=True)
        already = False
    if not already:
        launch(stack, component)
    reason: str | None = None
    said = start
    while time.monotonic() - start < component.ready_seconds:
        if processes.running(stack.run_file(component.name)) is None:
            raise ComponentDiedError(component.name, stack, "ended before it was ready")
        reason = component.probe(stack)
        if reason is None:
            how = "was already running" if already else f"ready in {time.monotonic() - start:.1f} s"
            report.line(f"{component.name}: {how}")
            return
        if already and _hung(stack, component, running):
            report.line(
                f"{component.name}: runs and has not answered for {component.hung_seconds:.0f} s, {reason}; replaced"
            )
            launch(stack, component)
            already, start = False, time.monotonic()
        if time.monotonic() - said > _REASON_SECONDS:
            said = time.monotonic()
            # What it needs was ready before it: if that has died since, it is the cause.
            raise_if_dead(stack, component.node.needed)
            report.line(f"{component.name}: not ready yet, {reason}")
        if cancelled.pause(_PROBE_PAUSE_SECONDS):
            return
    raise ComponentDiedError(component.name, stack, f"was not ready after {component.ready_seconds:.0f} s ({reason})")


def _hung(stack: Stack, component: Component, running: Liveness) -> bool:
    """Count one more silent probe of a running component, unless it is silent because of one that it leans on."""
    if component.alive is not None and component.alive(stack) is None:
        running.excuse()
        return False
    running.failed(time.monotonic())
    if not running.hung(time.monotonic()):
        return False
    others = [name for name in component.node.leans_on if processes.recorded(stack.run_file(name)) is not None]
    return all(COMPONENTS[name].liveness(stack) is None for name in others)
