"""The limits of a buffer, and why a batch leaves it."""

from enum import Enum
from typing import NamedTuple

from cdc_consumer.model.segment_budget import Budget


class FlushLimits(NamedTuple):
    """When a batch is sealed, and how much memory all buffers may take together."""

    max_rows: int
    max_bytes: int
    max_total_bytes: int
    flush_seconds: float
    idle_flush_seconds: float
    budget: Budget = Budget()


class FlushReason(Enum):
    """Why a batch is stored now."""

    ROWS = "rows"
    BYTES = "bytes"
    SCHEMA = "schema"
    AGE = "age"
    IDLE = "idle"
    MEMORY = "memory"
    LEAVING = "leaving"
