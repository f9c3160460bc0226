"""`bank up`: everything as early as its needs allow, readiness probed, deaths reported with their log."""

import fcntl
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from bank_common.errors import PipelineError
from bankctl import environment
from bankctl.components.component import Component, inherited_environment
from bankctl.components.plan import COMPONENTS, Task, chosen, tasks_for
from bankctl.doctor import require_free
from bankctl.stack import Stack
from bankctl.supervision import processes
from bankctl.supervision.crashes import ComponentDiedError, raise_if_dead
from bankctl.supervision.graph import Cancelled, Step, run
from bankctl.supervision.report import Reporter

_PROBE_PAUSE_SECONDS: Final = 0.1
_REASON_SECONDS: Final = 15.0


@contextmanager
def exclusive(stack: Stack) -> Iterator[None]:
    """One `up` or `down` at a time per state directory.

    Raises:
        PipelineError: another one is at work.
    """
    stack.state_dir.mkdir(parents=True, exist_ok=True)
    with (stack.state_dir / "bank.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PipelineError(
                f"Another `bank` is starting or stopping the stack in {stack.state_dir}.",
                advice="Wait until it is done.",
            ) from None
        yield


def up(stack: Stack, report: Reporter, *, only: Collection[str] = (), without: Collection[str] = ()) -> None:
    """Start what was chosen and is not running yet, and wait until all of it is ready.

    Raises:
        PipelineError: something is missing on this machine, a component died or did not get ready, or provisioning
            failed. What runs by then keeps running; `down` stops it.
    """
    selected = chosen(only, without, stack)
    with exclusive(stack):
        alive = {name for name in COMPONENTS if processes.running(stack.run_file(name))}
        missing = [component for component in selected if component.name not in alive]
        require_free(stack, missing)
        environment.write_all(stack)
        available = alive | ({"snowflake"} if stack.real_snowflake else set())
        tasks = tasks_for(selected, missing, available)
        steps = [_component_step(stack, component, report) for component in selected]
        steps += [_task_step(stack, task, report) for task in tasks]
        run(steps, failed=partial(_say_failure, report))
        for component in selected:
            if processes.running(stack.run_file(component.name)) is None:
                raise ComponentDiedError(component.name, stack, "ended after it had been ready")


def _say_failure(report: Reporter, step: Step, error: BaseException) -> None:
    reason = (str(error) or repr(error)).splitlines()[0]
    report.line(f"{step.name}: failed ({reason}); what is under way ends first")


def _task_step(stack: Stack, task: Task, report: Reporter) -> Step:
    def work(_cancelled: Cancelled) -> None:
        start = time.monotonic()
        task.run(stack, report.progress)
        if (seconds := time.monotonic() - start) >= 1:
            report.line(f"{task.name}: done in {seconds:.1f} s")

    return Step(task.name, work, (*task.components, *task.needs))


def _component_step(stack: Stack, component: Component, report: Reporter) -> Step:
    return Step(component.name, partial(_start, stack, component, report), component.needs)


def _start(stack: Stack, component: Component, report: Reporter, cancelled: Cancelled) -> None:
    if cancelled:
        return
    start = time.monotonic()
    process = processes.running(stack.run_file(component.name))
    already = process is not None
    if process is None:
        processes.stop(stack.run_file(component.name))
        component.prepare(stack)
        process = processes.spawn(
            component.command(stack),
            environment=inherited_environment() | dict(component.environment(stack)),
            log_file=stack.log_file(component.name),
            run_file=stack.run_file(component.name),
            working_directory=component.working_directory(stack),
        )
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
        if time.monotonic() - said > _REASON_SECONDS:
            said = time.monotonic()
            # What it needs was ready before it: if that has died since, it is the cause.
            raise_if_dead(stack, component.needs)
            report.line(f"{component.name}: not ready yet, {reason}")
        if cancelled.pause(_PROBE_PAUSE_SECONDS):
            return
    raise ComponentDiedError(component.name, stack, f"was not ready after {component.ready_seconds:.0f} s ({reason})")
