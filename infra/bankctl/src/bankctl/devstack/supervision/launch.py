"""Starts a component's process: whatever an earlier one left is ended before, so that it never runs twice."""

import psutil

from bankctl.devstack.components.component import Component
from bankctl.devstack.supervision import processes
from bankctl.devstack.supervision.fingerprint import fingerprint
from bankctl.stack.shell import inherited_environment
from bankctl.stack.stack import Stack

HUNG_STOP_SECONDS = 10.0
"""How long one that does not answer may take to end by itself, before its whole tree is killed."""


def launch(stack: Stack, component: Component) -> psutil.Popen:
    """End what is left of the component's last process, prepare, start and record. See `processes.spawn` for where.

    Raises:
        PipelineError, OSError: it can't be prepared or started; its record, if there was one, is still there.
    """
    run_file = stack.run_file(component.name)
    processes.stop(run_file, seconds=min(component.stop_seconds, HUNG_STOP_SECONDS), keep_record=True)
    component.prepare(stack)
    # Before the process reads its code: what changes meanwhile counts as changed.
    started_from = fingerprint(stack, component)
    return processes.spawn(
        component.command(stack),
        environment=inherited_environment() | dict(component.environment(stack)),
        log_file=stack.log_file(component.name),
        run_file=run_file,
        working_directory=component.working_directory(stack),
        fingerprint=started_from,
    )
