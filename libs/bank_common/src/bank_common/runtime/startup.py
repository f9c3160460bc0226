"""What a program does before it imports anything that takes time; imports the standard library alone."""

import os
import signal
from types import FrameType


def end_on_sigterm() -> None:
    """Let SIGTERM end the process at once, with exit code 143, until the program has a handler of its own.

    Imports take a second, and a process that is a container's first has no default action: it would hear nothing and
    be killed after its grace period.
    """
    signal.signal(signal.SIGTERM, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)
