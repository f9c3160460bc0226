"""The failpoints of the consumer."""

from enum import Enum


class Failpoint(Enum):
    """The step of storing that was just done, in the order in which the steps are done."""

    DEAD_LETTERS_ACKNOWLEDGED = "dead letters acknowledged"
    SEGMENT_ENCODED = "segment encoded"
    SEGMENT_CREATED = "segment created"
    OFFSETS_SENT = "offsets sent"
    OFFSETS_COMMITTED = "offsets committed"
