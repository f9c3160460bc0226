"""Failpoints: named places between two steps, at which a test ends the process. Each program has its own closed set.

A program takes a handler as an argument of what it builds; only tests give one.
"""

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

FailpointT = TypeVar("FailpointT", bound=Enum)
FailpointHandler = Callable[[FailpointT], None]
"""Called with each failpoint of a program as soon as its step is done. What it raises ends the program."""


def no_failpoint(_reached: Enum) -> None:
    """Do nothing: the handler of production."""
