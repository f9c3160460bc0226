"""The times that Airflow asks of a DAG before any task runs: its schedule and its tasks' timeouts.

A DAG file is parsed again and again, by several processes, so it reads these variables and no settings. One that the
settings refuse counts as its default here; the scheduler's start and each task name it.
"""

import os
from datetime import timedelta
from typing import Final, NamedTuple


class DagTime(NamedTuple):
    """A variable that holds whole seconds."""

    variable: str
    default: int
    least: int

    def read(self) -> timedelta:
        """Read the variable; without one that is valid, the default."""
        text = os.environ.get(self.variable, "")
        valid = text.isascii() and text.isdecimal() and int(text) >= self.least
        return timedelta(seconds=int(text) if valid else self.default)


LOAD_INTERVAL: Final = DagTime("BANK_DAGS_LOAD_INTERVAL_SECONDS", 60, 5)
LOAD_TIMEOUT: Final = DagTime("BANK_DAGS_LOAD_TIMEOUT_SECONDS", 1800, 2)
BUILD_TIMEOUT: Final = DagTime("BANK_DAGS_BUILD_TIMEOUT_SECONDS", 900, 1)
