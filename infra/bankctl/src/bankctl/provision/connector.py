"""Applies the connector's rendered configuration and waits until it captures."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bankctl.provision.connect_api import ConnectApi, ConnectError, ConnectorStatus

_POLL_SECONDS: Final = 0.1
_FAILURE_SETTLES_SECONDS: Final = 3.0
_RUNNING_LASTS_SECONDS: Final = 5.0
"""A task says RUNNING before it has read anything; what it can't go on from shows one to four seconds later."""


def read_config(path: Path) -> dict[str, str]:
    """The rendered configuration."""
    return json.loads(path.read_text(encoding="utf-8"))


def apply(
    api: ConnectApi,
    name: str,
    config: Mapping[str, str],
    *,
    wait_seconds: float = 90.0,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Make the connector run with this configuration; True when something was changed.

    A connector that runs with this configuration is left alone, and one whose task gave up is started again.

    Raises:
        ConnectError: Connect refused the configuration, the task failed (with the cause's first line), or it was
            not running when the time was over.
    """
    changed = api.config(name) != dict(config)
    if changed:
        api.put_config(name, config)
    status = api.status(name)
    if not changed and status is not None and status.running:
        return False
    if status is not None and status.failed:
        api.restart(name, only_failed=True)
        changed = True
    await_running(api, name, wait_seconds=wait_seconds, clock=clock, pause=pause)
    return changed


def await_running(
    api: ConnectApi,
    name: str,
    *,
    wait_seconds: float = 90.0,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until connector and tasks run, and go on running.

    Right after a change Connect still reports the state before it, so a state counts when it stays.

    Raises:
        ConnectError: see `apply`.
    """
    deadline = clock() + wait_seconds
    failed_since = running_since = None
    status: ConnectorStatus | None = None
    while clock() < deadline:
        status = api.status(name)
        if status is None or not status.running:
            running_since = None
        elif running_since is None:
            running_since = clock()
        elif clock() - running_since >= _RUNNING_LASTS_SECONDS:
            return
        if status is None or not status.failed:
            failed_since = None
        elif failed_since is None:
            failed_since = clock()
        elif clock() - failed_since >= _FAILURE_SETTLES_SECONDS:
            raise failure(status)
        pause(_POLL_SECONDS)
    state = (
        "not known to Connect" if status is None else f"{status.state}, its tasks {', '.join(status.tasks) or 'none'}"
    )
    raise ConnectError(
        f"The connector {name} is {state} after {wait_seconds:.0f} s.",
        advice="See `bank connector status` and `bank logs connect`.",
    )


def failure(status: ConnectorStatus) -> ConnectError:
    """The error of a failed connector: its reason, and what an operator does about it."""
    return ConnectError(
        f"The connector {status.name} failed: {status.reason or 'it gave no reason'}.",
        advice="Mend the cause, then `bank connector restart`; the whole trace is in `bank connector status`.",
    )
