"""The component: how a process is prepared, started, probed and stopped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import httpx

from bankctl.model.graph import Node
from bankctl.stack.stack import Stack

READY: Final = None
"""The result of a probe when the component answers; any other result is the reason why it does not."""

HttpProbe = Callable[[Stack], str | None]


def nothing(_stack: Stack) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Component:
    """One process of the stack.

    `node` is its place in the graph; `probe` gives READY or the reason why not; `environment` is added to the inherited
    one. A running process that does not answer `alive` (the probe, where there is no other) for `hung_seconds` is
    replaced.
    """

    node: Node
    command: Callable[[Stack], Sequence[str]]
    probe: HttpProbe
    prepare: Callable[[Stack], None] = nothing
    environment: Callable[[Stack], Mapping[str, str]] = lambda _stack: {}
    ports: tuple[str, ...] = ()
    ready_seconds: float = 90.0
    stop_seconds: float = 20.0
    hung_seconds: float = 60.0
    alive: HttpProbe | None = None
    runs_from: tuple[str, ...] = ()
    """Files and folders of the checkout that the process reads when it starts: `up` starts it again when they change.
    So it does for its command and its environment."""

    @property
    def name(self) -> str:
        """The name in the graph."""
        return self.node.name

    def liveness(self, stack: Stack) -> str | None:
        """READY when the process answers at all, else why not."""
        return (self.alive or self.probe)(stack)

    def working_directory(self, stack: Stack) -> Path:
        """The component's data folder: what a program leaves in its working directory stays out of the checkout."""
        folder = stack.data_dir(self.name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@cache
def client() -> httpx.Client:
    """The client of all probes: made once, for its trusted certificates take longer to read than a probe. It keeps no
    connection: one of an ended process would make the next one's first probe fail."""
    return httpx.Client(timeout=5.0, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def http_probe(url: Callable[[Stack], str], *, expected: int = 200) -> HttpProbe:
    """A probe that asks for a URL and wants a status."""

    def probe(stack: Stack) -> str | None:
        try:
            answer = client().get(url(stack))
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"
        if answer.status_code == expected:
            return READY
        said = "" if "html" in answer.headers.get("content-type", "") else f": {answer.text.strip()[:200]}"
        return f"HTTP {answer.status_code}{said}"

    return probe
