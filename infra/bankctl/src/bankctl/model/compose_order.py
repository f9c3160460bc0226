"""Renders the blocks `depends_on` of compose.yaml from the graph. Everything else in that file is written by hand.

An artefact is in the image, so nothing waits for it. The provisioning steps are one service, `provision`; each other
step is a service of its own name. What another need implies is left out.
"""

import re
from collections.abc import Iterable
from typing import Final

from bankctl.model.graph import NODES, SECRETS, Need, NodeKind, of_kind

PROVISION: Final = "provision"
_HEALTHY: Final = "service_healthy"
_DONE: Final = "service_completed_successfully"
_OR_ACCOUNT: Final = "Not there with a real account (compose.snowflake.yaml)."
_SERVICE: Final = re.compile(r"^  (?P<name>[a-z][a-z-]*):$")


def depends_on(service: str) -> dict[str, Need]:
    """The services that a service waits for, and why."""
    waited_for = _direct(service)
    implied = {name for other in waited_for for name in _all(other)}
    return {name: need for name, need in waited_for.items() if name not in implied}


def condition(service: str) -> dict[str, object]:
    """The condition of waiting for a service."""
    node = NODES.get(service)
    if node is None or node.kind is not NodeKind.COMPONENT:
        return {"condition": _DONE}
    return {"condition": _HEALTHY, "required": False} if node.stand_in else {"condition": _HEALTHY}


def render(text: str) -> str:
    """The text of compose.yaml with every service's `depends_on` as the graph says.

    A service's block is its last key; one that the graph does not know keeps what it has.
    """
    lines, services = text.splitlines(), text.index("\nservices:\n")
    start = text.count("\n", 0, services) + 2
    end = next((number for number in range(start, len(lines)) if re.match(r"^\S", lines[number])), len(lines))
    rendered = lines[:start]
    for service, block in _blocks(lines[start:end]):
        rendered += block if service is None else _with_order(service, block)
    return "\n".join([*rendered, *lines[end:]]) + "\n"


def _direct(service: str) -> dict[str, Need]:
    if service == PROVISION:
        steps = list(of_kind(NodeKind.PROVISIONING))
        waited_for = _services(
            [*(name for step in steps for name in step.uses), *(it for s in steps for it in s.needs)]
        )
        del waited_for[PROVISION]  # one of its steps needs another
        return waited_for
    node = NODES[service]
    return _services(node.needs if node.kind is NodeKind.COMPONENT else [*node.uses, *node.needs])


def _services(needs: Iterable[str | Need]) -> dict[str, Need]:
    """The services that needs come down to: none for an artefact, one for all of provisioning."""
    services: dict[str, Need] = {}
    for need in needs:
        known = need if isinstance(need, Need) else Need(need)
        kind = NODES[known.name].kind if known.name in NODES else NodeKind.STEP
        if kind is not NodeKind.ARTEFACT:
            name = PROVISION if kind is NodeKind.PROVISIONING else known.name
            if name not in services or not services[name].reason:
                services[name] = Need(name, known.reason)
    return services


def _all(service: str) -> set[str]:
    """Everything that is there when this service is."""
    if service == SECRETS:
        return set()
    direct = _direct(service)
    return set(direct).union(*(_all(name) for name in direct))


def _blocks(lines: list[str]) -> Iterable[tuple[str | None, list[str]]]:
    service: str | None = None
    block: list[str] = []
    for line in lines:
        if match := _SERVICE.match(line):
            yield service, block
            service, block = match["name"], []
        block.append(line)
    yield service, block


def _with_order(service: str, block: list[str]) -> list[str]:
    if service != PROVISION and service not in NODES:
        return block
    body, tail = _split(block)
    waited_for = depends_on(service)
    if not waited_for:
        return [*body, *tail]
    lines = [f"      {line}" for need in waited_for.values() for line in _entry(need)]
    return [*body, "    depends_on:", *lines, *tail]


def _split(block: list[str]) -> tuple[list[str], list[str]]:
    """A service's lines without its `depends_on`, and the lines after it that belong to the next one."""
    last = max(number for number, line in enumerate(block) if line.startswith("    ") or _SERVICE.match(line))
    body, tail = block[: last + 1], block[last + 1 :]
    first = next((number for number, line in enumerate(body) if line == "    depends_on:"), len(body))
    after = (number for number in range(first + 1, len(body)) if not body[number].startswith("      "))
    return body[:first] + body[next(after, len(body)) :], tail


def _entry(need: Need) -> list[str]:
    said = condition(need.name)
    flow = ", ".join(f"{key}: {str(value).lower() if value is False else value}" for key, value in said.items())
    reason = need.reason or (_OR_ACCOUNT if "required" in said else "")
    return [*([f"# {reason}"] if reason else []), f"{need.name}: {{{flow}}}"]
