"""`bank status`."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from bank_common.runtime.motion import BUILD, CAPTURE, LOAD, Motion
from bankctl.output import console
from bankctl.rooms import Room, require
from bankctl.stack.stack import Stack

if TYPE_CHECKING:
    from bankctl.devstack.supervision.status import ComponentStatus

_HOPS = {CAPTURE: "bank to Kafka", LOAD: "landing to RAW", BUILD: "RAW to marts"}


def status(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    hops: Annotated[bool, typer.Option("--hops", help="Only whether data moves, not the components.")] = False,
) -> None:
    """Show each component: healthy or why not, its process, port, uptime and memory (PSS). And whether data moves.

    The capture is red unless the connector's task runs. A later hop is red when what waits for it is older than it may
    be: a landed segment that is not loaded by the sweep's
    interval and 30 s, a load that is not built by the target lag, one build and 30 s. Among containers the components
    are left out: `docker compose ps` has them.

    Example: bank status --hops --json

    Exits with 1 when a component that should run does not, or is not healthy, or when a hop is red.
    """
    from bankctl.operate import motion

    stack = Stack.from_environment()
    with ThreadPoolExecutor(1) as pool:
        looked = pool.submit(motion.survey, stack)
        components = _survey(stack) if stack.supervised and not hops else []
        moving = looked.result()
    if as_json:
        typer.echo(json.dumps(document(components, moving)))
    else:
        _print(components, moving)
    good = all(component.healthy or component.optional for component in components) and all(
        hop.moving for hop in moving
    )
    raise typer.Exit(0 if good else 1)


def _survey(stack: Stack) -> "Sequence[ComponentStatus]":
    """Probe the processes. The image bank has no devstack, and among containers nothing asks for it."""
    require(Room.DEVSTACK, "status")
    from bankctl.devstack.supervision.status import survey

    return survey(stack)


def document(components: "Sequence[ComponentStatus]", moving: Sequence[Motion]) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "components": {component.name: component.document() for component in components},
        "total_memory_bytes": sum(component.memory_bytes for component in components),
        "hops": {
            hop.hop: {
                "moving": hop.moving,
                "reason": hop.sentence,
                "waited_seconds": hop.waited_seconds,
                "allowed_seconds": hop.allowed_seconds,
            }
            for hop in moving
        },
    }


def _print(components: "Sequence[ComponentStatus]", moving: Sequence[Motion]) -> None:
    out = console()
    if components:
        out.print(_components(components))
        total = sum(component.memory_bytes for component in components)
        out.print(f"total memory {total / 2**30:.2f} GiB", highlight=False)
    width = max(len(name) for name in _HOPS.values())
    for hop in moving:
        line = f"{_HOPS[hop.hop]:{width}}  {'moving' if hop.moving else 'RED'}: {hop.sentence}"
        out.print(line, style=None if hop.moving else "red", highlight=False, markup=False, soft_wrap=True)


def _components(components: "Sequence[ComponentStatus]") -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("component", "state", "pid", "ports", "up", "memory"):
        table.add_column(heading, justify="right" if heading in ("pid", "up", "memory") else "left")
    for component in components:
        table.add_row(
            component.name,
            "healthy" if component.healthy else component.reason,
            str(component.pid or ""),
            ", ".join(str(port) for port in component.ports),
            f"{component.uptime_seconds:.0f} s" if component.pid else "",
            f"{component.memory_bytes / 2**20:.0f} MiB" if component.pid else "",
            style=None if component.healthy or component.optional else "red",
        )
    return table
