"""When to wake the load: a flag that events set, and at most one run of ours in the queue. No I/O, no clock.

    while dirty {clear; trigger one run; wait until that run has left the queue}

A run that starts lists the landing zone itself, so everything that landed before it left the queue is its work;
what lands after that sets the flag again. MinIO tells of each segment twice, at once and within three seconds (the
second is kept until it is delivered): what the process has heard of sets no flag again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from event_receiver.events import Hint

MAX_HINTS: Final = 20
REMEMBERED_KEYS: Final = 10_000
"""Segments whose repeated event is known as one; a segment lands once in its life, so forgetting costs a run only."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Ask for this run. The same order again after a lost answer: the run id makes the repeat harmless."""

    run_id: str
    keys: tuple[str, ...]
    traceparents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Watch:
    """See whether this run is still in the queue."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do until an event comes."""


Step = Trigger | Watch | Rest


class WakeUp:
    """The state of one receiver process. It starts dirty: what happened before the start is unknown.

    `process` is unique to the process, so that a run id is never used twice. Run ids are `wake__<process>__<n>`.
    """

    def __init__(self, process: str) -> None:
        self._process = process
        self._number = 0
        self._dirty = True
        self._keys: dict[str, None] = {}
        self._traceparents: dict[str, None] = {}
        self._heard: dict[str, None] = {}
        self._ordered: Trigger | None = None
        self._queued: Watch | None = None

    @property
    def dirty(self) -> bool:
        """Whether a wake-up is owed: events came that no acknowledged order covers."""
        return self._dirty or self._ordered is not None

    def mark(self, hints: Iterable[Hint]) -> None:
        """Events came. New segments' keys travel as hints, `MAX_HINTS` at most; the flag is what counts."""
        for hint in hints:
            key = str(hint.key)
            if key in self._heard:
                continue
            self._heard[key] = None
            if len(self._heard) > REMEMBERED_KEYS:
                del self._heard[next(iter(self._heard))]
            self._dirty = True
            if len(self._keys) < MAX_HINTS:
                self._keys[key] = None
            if hint.traceparent is not None and len(self._traceparents) < MAX_HINTS:
                self._traceparents[hint.traceparent] = None

    def next_step(self) -> Step:
        """What to do now. Without an answer in between it gives the same order again."""
        if self._ordered is not None:
            return self._ordered
        if self._queued is not None:
            return self._queued
        if not self._dirty:
            return Rest()
        self._number += 1
        # Cleared before the run is asked for: an event that comes from here on sets it again.
        self._dirty = False
        self._ordered = Trigger(f"wake__{self._process}__{self._number}", tuple(self._keys), tuple(self._traceparents))
        self._keys, self._traceparents = {}, {}
        return self._ordered

    def acknowledged(self, run_id: str) -> None:
        """The run exists: the order was accepted, or an earlier sending of it had been."""
        if self._ordered is not None and self._ordered.run_id == run_id:
            self._ordered, self._queued = None, Watch(run_id)

    def left_queue(self, run_id: str) -> None:
        """The run has started, has ended or is unknown."""
        if self._queued is not None and self._queued.run_id == run_id:
            self._queued = None
