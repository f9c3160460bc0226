"""The failpoints of a load."""

from enum import Enum


class Failpoint(Enum):
    """The step of the load's transaction that was just done, in the order in which the steps are done."""

    COPIED = "copied"
    RECORDED = "recorded"
    COMMITTED = "committed"
