"""Progress for people: every finished step a line; a long one says every ten seconds how far it is."""

import threading
import time
from datetime import UTC, datetime
from typing import Final

from rich.console import Console

_PAUSE_SECONDS: Final = 10.0


class Reporter:
    """Prints from any thread. `progress` lines of one topic are thinned to one in ten seconds.

    Each line begins with the seconds since the start, or with the time of day where that is asked for.
    """

    def __init__(self, console: Console, *, time_of_day: bool = False) -> None:
        self._console = console
        self._time_of_day = time_of_day
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._last: dict[str, float] = {}

    def line(self, text: str) -> None:
        """Print a line with its time."""
        with self._lock:
            elapsed = f"{time.monotonic() - self._start:6.1f} s"
            stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}" if self._time_of_day else elapsed
            self._console.print(f"{stamp}  {text}", highlight=False, markup=False, soft_wrap=True)

    def progress(self, text: str) -> None:
        """Print now and then; the text up to its first colon is the topic."""
        topic, now = text.partition(":")[0], time.monotonic()
        if now - self._last.get(topic, float("-inf")) >= _PAUSE_SECONDS:
            self._last[topic] = now
            self.line(text)
