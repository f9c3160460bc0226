"""`bank doctor`."""

import typer
from rich.console import Console
from rich.table import Table

from bankctl.devstack.components.native import COMPONENTS
from bankctl.devstack.doctor import examine
from bankctl.devstack.supervision.processes import running
from bankctl.stack.stack import Stack


def doctor() -> None:
    """Check this machine: system, Python, tools, disk, memory and the ports of what does not run yet.

    Exits with 1 when something is missing or may go wrong; each line says what to do.
    """
    stack = Stack.from_environment()
    stopped = [component for component in COMPONENTS.values() if running(stack.run_file(component.name)) is None]
    findings = examine(stack, stopped)
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        mark = "ok" if finding.good else "MISSING" if finding.stops else "RISK"
        table.add_row(mark, finding.check, f"{finding.seen}{'' if finding.good else f'. {finding.advice}'}")
    Console(soft_wrap=True).print(table)
    raise typer.Exit(0 if all(finding.good for finding in findings) else 1)
