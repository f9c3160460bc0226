"""The status of every component, probed side by side."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from bankctl.devstack.components.component import Component
from bankctl.devstack.components.native import COMPONENTS
from bankctl.devstack.supervision import processes
from bankctl.stack.stack import Stack


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """A component as it is now; `reason` says why it is not healthy, memory is PSS of its process tree."""

    name: str
    healthy: bool
    reason: str
    optional: bool
    pid: int | None
    ports: tuple[int, ...]
    uptime_seconds: float
    memory_bytes: int

    def document(self) -> dict[str, Any]:
        """The component's object in `--json`."""
        return {name: value for name, value in asdict(self).items() if name != "name"}


def survey(stack: Stack) -> list[ComponentStatus]:
    """Probe every component of the stack."""
    expected = [
        component
        for component in COMPONENTS.values()
        if not (component.name == "snowflake" and stack.real_snowflake is not None)
    ]
    with ThreadPoolExecutor(len(expected)) as pool:
        return list(pool.map(partial(_look, stack), expected))


def _look(stack: Stack, component: Component) -> ComponentStatus:
    ports = tuple(stack.port(name) for name in component.ports)
    process = processes.running(stack.run_file(component.name))
    if process is None:
        died = processes.recorded(stack.run_file(component.name)) is not None
        reason = f"died; see `bank logs {component.name}`" if died else "not running"
        expected = component.node.on_request and not died
        return ComponentStatus(component.name, False, reason, expected, None, ports, 0.0, 0)
    reason = component.probe(stack)
    return ComponentStatus(
        component.name,
        reason is None,
        reason or "",
        False,
        process.pid,
        ports,
        time.time() - process.create_time(),
        processes.memory_bytes(process),
    )
