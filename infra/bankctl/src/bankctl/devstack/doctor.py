"""Checks this machine before anything starts: each finding says what is missing and what to do."""

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from bank_common import names
from bank_common.runtime.errors import PipelineError
from bankctl.devstack.artefacts import jars, object_store
from bankctl.devstack.artefacts.uv import EnvironmentSetupError, uv_binary
from bankctl.devstack.components import postgres
from bankctl.devstack.components.component import Component
from bankctl.stack.stack import LOOPBACK, Stack

STATE_BYTES: Final = 2 * 2**30
COLD_BYTES: Final = 8 * 2**30
MEMORY_BYTES: Final = 4 * 2**30
PYTHONS: Final = ((3, 11), (3, 14))
_ODD: Final = re.compile(r"[^\w/.@%+=:,~-]")


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check: what was looked at, what was seen, and what to do when it is not enough.

    `stops` is false for what may go well: the stack is started all the same.
    """

    check: str
    seen: str
    advice: str | None = None
    stops: bool = True

    @property
    def good(self) -> bool:
        """True when nothing has to be done."""
        return self.advice is None


def examine(stack: Stack, components: Iterable[Component]) -> list[Finding]:
    """Every finding about this machine, for starting these components."""
    return [
        _system(),
        _python(),
        *_tools(),
        *_paths(stack),
        _postgres(stack),
        *_space(stack),
        _memory(),
        _shifted(stack),
        *_ports(stack, components),
    ]


def require_free(stack: Stack, components: Iterable[Component]) -> None:
    """Refuse to start on a machine that lacks something.

    Raises:
        PipelineError: names everything that is missing, each with what to do.
    """
    bad = [finding for finding in examine(stack, components) if not finding.good and finding.stops]
    if bad:
        lines = "\n".join(f"  {finding.check}: {finding.seen}. {finding.advice}" for finding in bad)
        raise PipelineError(f"This machine can't run the stack yet:\n{lines}\n", advice="`bank doctor` checks again.")


def _system() -> Finding:
    machine = os.uname()
    seen = f"{machine.sysname} {machine.machine}"
    known = (machine.sysname, machine.machine) == ("Linux", "x86_64")
    return Finding("system", seen, None if known else "Only Linux x86-64 is supported so far.")


def _python() -> Finding:
    running = sys.version_info[:2]
    advice = None if PYTHONS[0] <= running < PYTHONS[1] else "Use Python 3.11, 3.12 or 3.13: make PYTHON=…"
    return Finding("Python", sys.version.split()[0], advice)


def _tools() -> Iterator[Finding]:
    make = shutil.which("make")
    yield Finding("make", make or "missing", None if make else "Install make.")
    try:
        yield Finding("uv", uv_binary())
    except EnvironmentSetupError as error:
        yield Finding("uv", "missing", error.advice)
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        advice = None if setpriv else "Install util-linux, or run as an ordinary user (Postgres refuses root)."
        yield Finding("setpriv", setpriv or "missing", advice)
    go = object_store.find_go()
    yield Finding("Go", str(go) if go else "none that is new enough; a compiler comes from PyPI when MinIO is built")


def _paths(stack: Stack) -> Iterator[Finding]:
    folders = {"checkout": stack.root, "BANKCTL_STATE_DIR": stack.state_dir, "BANK_CACHE_DIR": stack.cache_dir}
    for name, folder in folders.items():
        odd = sorted(set(_ODD.findall(str(folder))))
        if odd:
            read_as = " ".join(map(repr, odd))
            advice = f"Postgres, Kafka or make read {read_as} as syntax: move it, or name another folder."
            yield Finding(f"path of {name}", str(folder), advice)


def _postgres(stack: Stack) -> Finding:
    refused = postgres.refusal(_existing(stack.state_dir))
    if refused is None:
        return Finding("Postgres", "runs")
    if os.geteuid() != 0:
        return Finding("Postgres", refused, "Run `make setup`; when that does not mend it, see the message.")
    advice = (
        "Root may not let another user enter its folders here (it lacks CAP_DAC_READ_SEARCH or CAP_SETPCAP, as in most "
        "containers): move the checkout, and BANKCTL_STATE_DIR, to a folder that every user may enter, or run as an "
        "ordinary user."
    )
    return Finding("Postgres", refused, advice)


def _space(stack: Stack) -> Iterator[Finding]:
    cold = not object_store.binary(stack.cache_dir, stack.root).exists()
    cold = cold or not (jars.folder(stack.cache_dir, stack.root / "infra/kafka/jars.lock") / "complete").exists()
    needed = {"state": (stack.state_dir, STATE_BYTES), "cache": (stack.cache_dir, COLD_BYTES if cold else 0)}
    for name, (folder, required) in needed.items():
        free = shutil.disk_usage(_existing(folder)).free
        variable = "BANKCTL_STATE_DIR" if name == "state" else "BANK_CACHE_DIR"
        advice = f"{required / 2**30:.0f} GiB are needed: free some, or set {variable} to a folder on a larger disk."
        yield Finding(
            f"disk for {name}", f"{free / 2**30:.1f} GiB free in {folder}", None if free >= required else advice
        )


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    seen = f"{memory.available / 2**30:.1f} GiB available of {memory.total / 2**30:.1f}"
    # Half is enough to start: other checkouts and caches give memory back.
    enough = memory.total >= MEMORY_BYTES and memory.available >= MEMORY_BYTES / 2
    return Finding("memory", seen, None if enough else "The whole stack takes up to 4 GiB: stop something else first.")


def ephemeral_ports() -> tuple[int, int]:
    """The first and the last port that the kernel gives to connections by itself."""
    first, last = _kernel("ip_local_port_range", "32768 60999").split()
    return int(first), int(last)


def _kernel(name: str, default: str) -> str:
    # Some sandboxes hide it.
    path = Path("/proc/sys/net/ipv4") / name
    return path.read_text(encoding="ascii").strip() if path.exists() else default


def _reserved(port: int) -> bool:
    """Tell whether the kernel leaves this port out."""
    ranges = _kernel("ip_local_reserved_ports", "")
    bounds = (each.partition("-") for each in ranges.split(",") if each)
    return any(int(first) <= port <= int(last or first) for first, _, last in bounds)


def _shifted(stack: Stack) -> Finding:
    ports = sorted(stack.port(name) for name in names.PORTS)
    first, last = ephemeral_ports()
    seen = f"{ports[0]} to {ports[-1]}"
    if not any(first <= port <= last and not _reserved(port) for port in ports):
        return Finding("ports", seen)
    most = first - 1 - max(names.PORTS.values())
    lower = f"BANKCTL_PORT_OFFSET={most} at most, or " if most >= 0 else ""
    return Finding(
        "ports",
        f"{seen}, and the kernel gives {first} to {last} to any program's connections",
        f"A component may find its port taken: {lower}reserve them by net.ipv4.ip_local_reserved_ports.",
        stops=False,
    )


def _ports(stack: Stack, components: Iterable[Component]) -> Iterator[Finding]:
    for component in components:
        for name in component.ports:
            port = stack.port(name)
            if not _free(port):
                yield Finding(
                    f"port {port}",
                    f"in use, {component.name} needs it",
                    "Stop what listens there, or shift all ports: BANKCTL_PORT_OFFSET=1000.",
                )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
