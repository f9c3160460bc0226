"""Locks of a state directory: one `up`, `down` or restart at a time, and one watcher."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from bank_common.runtime.errors import PipelineError
from bankctl.stack.stack import Stack

PATIENCE_SECONDS: Final = 30.0
"""How long `up` and `down` wait for another one: a watcher's restart takes less."""
_POLL_SECONDS: Final = 0.1


@contextmanager
def exclusive(stack: Stack, *, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the lock of `up`, `down` and restarts of a state directory.

    Raises:
        PipelineError: another one is still at work after `patience_seconds`.
    """
    with _locked(stack, "bank.lock", patience_seconds) as got:
        if not got:
            raise PipelineError(
                f"Another `bank` is starting or stopping the stack in {stack.state_dir}.",
                advice="Wait until it is done.",
            )
        yield


@contextmanager
def only_watcher(stack: Stack) -> Iterator[None]:
    """Hold the watcher's lock of a state directory.

    Raises:
        PipelineError: another one watches.
    """
    with _locked(stack, "watch.lock", 0.0) as got:
        if not got:
            raise PipelineError(
                f"Another `bank up --watch` watches the stack in {stack.state_dir}.",
                advice="One is enough: end that one first, or leave it at that.",
            )
        yield


@contextmanager
def _locked(stack: Stack, name: str, patience_seconds: float) -> Iterator[bool]:
    stack.state_dir.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience_seconds
    with (stack.state_dir / name).open("w") as handle:
        got = _try(handle)
        while not got and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            got = _try(handle)
        yield got


def _try(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
