"""Polls until something holds, with a deadline and a reason."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(
    what: str,
    probe: Callable[[], T | bool | None],
    *,
    seconds: float,
    every: float = 0.1,
    state: Callable[[], object] | None = None,
) -> T:
    """Poll `probe` until it gives something true, and return that.

    Raises:
        AssertionError: the deadline passed; the message says what was awaited and, with `state`, what was there.
    """
    deadline = time.monotonic() + seconds
    while True:
        result = probe()
        if result:
            return result  # type: ignore[return-value]
        if time.monotonic() >= deadline:
            seen = f"; seen: {state()}" if state else ""
            raise AssertionError(f"not within {seconds:.0f} s: {what}{seen}")
        time.sleep(every)
