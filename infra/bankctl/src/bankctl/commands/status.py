"""`bank status`."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bankctl.stack import Stack
from bankctl.supervision.status import ComponentStatus, survey


def status(as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Show each component: healthy or why not, its process, port, uptime and memory (PSS).

    Exits with 1 when a component that should run does not, or is not healthy.
    """
    stack = Stack.from_environment()
    stack.require_supervised()
    found = survey(stack)
    total = sum(component.memory_bytes for component in found)
    if as_json:
        components = {component.name: component.document() for component in found}
        typer.echo(json.dumps({"components": components, "total_memory_bytes": total}))
    else:
        _print(found, total)
    raise typer.Exit(0 if all(component.healthy or component.optional for component in found) else 1)


def _print(found: list[ComponentStatus], total: int) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("component", "state", "pid", "ports", "up", "memory"):
        table.add_column(heading, justify="right" if heading in ("pid", "up", "memory") else "left")
    for component in found:
        table.add_row(
            component.name,
            "healthy" if component.healthy else component.reason,
            str(component.pid or ""),
            ", ".join(str(port) for port in component.ports),
            f"{component.uptime_seconds:.0f} s" if component.pid else "",
            f"{component.memory_bytes / 2**20:.0f} MiB" if component.pid else "",
            style=None if component.healthy or component.optional else "red",
        )
    console = Console()
    console.print(table)
    console.print(f"total memory {total / 2**30:.2f} GiB", highlight=False)
