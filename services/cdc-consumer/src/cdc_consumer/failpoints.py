"""Failpoints: the places between two steps of storing at which a test may kill the process."""

from collections.abc import Callable
from enum import Enum


class Failpoint(Enum):
    """The step that was just done, in the order in which the steps are done."""

    DEAD_LETTERS_ACKNOWLEDGED = "dead letters acknowledged"
    SEGMENT_ENCODED = "segment encoded"
    SEGMENT_CREATED = "segment created"
    OFFSETS_SENT = "offsets sent"
    OFFSETS_COMMITTED = "offsets committed"


FailpointHandler = Callable[[Failpoint], None]


def no_failpoint(_failpoint: Failpoint) -> None:
    """Do nothing: the handler of production."""
