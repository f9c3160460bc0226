"""Stillness: decides when a scheduler stands still, on what was seen to change, never on a clock that can be set."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Final

HEARTBEAT_SECONDS: Final = 20.0
"""A scheduler writes a heartbeat every 5 s."""
FIRST_HEARTBEAT_SECONDS: Final = 120.0
QUEUED_SECONDS: Final = 20.0
"""A task process reports that it runs within a second of its start."""
LONGEST_STEP_SECONDS: Final = 5.0
"""What one look may add. A machine, or this process, that stood itself has seen nothing meanwhile and blames nobody."""


@dataclass(frozen=True, slots=True)
class Look:
    """The state of a scheduler job in the metadata database: its heartbeat as stored, what waits, what runs."""

    heartbeat: Hashable
    queued: Collection[Hashable]
    running: int


@dataclass
class Stillness:
    """Adds up the time in which nothing changed, from looks that had an answer."""

    slots: int
    heartbeat: Hashable = None
    without_beat: float = 0.0
    waiting: dict[Hashable, float] = field(default_factory=dict[Hashable, float])

    def seen(self, look: Look | None, seconds: float) -> None:
        """Note a look, `seconds` after the one before; None when no job has registered yet."""
        seconds = min(seconds, LONGEST_STEP_SECONDS)
        if look is not None and look.heartbeat != self.heartbeat:
            self.heartbeat, self.without_beat = look.heartbeat, 0.0
        else:
            self.without_beat += seconds
        free = look is not None and look.running < self.slots
        queued = look.queued if look is not None and free else ()
        self.waiting = {attempt: self.waiting.get(attempt, -seconds) + seconds for attempt in queued}

    def forgive_queued(self) -> None:
        """Forget the waiting tasks: something else kept them from starting."""
        self.waiting.clear()

    @property
    def heart_stopped(self) -> str | None:
        """The reason why the scheduler itself is held for dead; None while it is not."""
        bound = FIRST_HEARTBEAT_SECONDS if self.heartbeat is None else HEARTBEAT_SECONDS
        return f"no heartbeat for {bound:.0f} s" if self.without_beat >= bound else None

    @property
    def tasks_stuck(self) -> str | None:
        """The reason why its executor is held for dead: a task that a free slot should have taken long ago."""
        stuck = [attempt for attempt, seconds in self.waiting.items() if seconds >= QUEUED_SECONDS]
        return f"{len(stuck)} queued for {QUEUED_SECONDS:.0f} s while a slot was free" if stuck else None
