"""The steps of storing, by name: a test may stop the process between any two of them."""

from collections.abc import Callable
from enum import Enum


class Step(Enum):
    """What was just done, in the order in which it is done."""

    DEAD_LETTERS_ACKNOWLEDGED = "dead letters acknowledged"
    SEGMENT_ENCODED = "segment encoded"
    SEGMENT_CREATED = "segment created"
    OFFSETS_SENT = "offsets sent"
    OFFSETS_COMMITTED = "offsets committed"


Checkpoint = Callable[[Step], None]


def never_stop(_step: Step) -> None:
    """The checkpoint of production: nothing happens."""
