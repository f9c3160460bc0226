"""The wake-up: a flag that events set, one cycle at a time, and the time that the target lag gives. No I/O.

    while dirty {wait until it is due and the last cycle is over; clear; trigger one run; wait until it left the queue}

A run that starts lists the landing zone itself, so everything that landed before it left the queue is its work;
what lands after that sets the flag again. MinIO tells of each segment twice, at once and within three seconds (the
second is kept until it is delivered): what the process has heard of sets no flag again.

Times are seconds of a monotonic clock that the caller reads. They decide when, never whether: a flag that is set stays
set until a run is ordered or a run that was ordered is known to start later.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from event_receiver.model.cycle import DagRun, DagRuns, Durations, Stage, cycle_seconds, durations, stage
from event_receiver.model.events import Hint

MAX_HINTS: Final = 20
REMEMBERED_KEYS: Final = 10_000
"""Segments whose repeated event is known as one; a segment lands once in its life, so forgetting costs a run only."""
_EARLY: Final = 0.6
"""The first look at a cycle that holds something up comes at this part of the shortest one: it may end early."""
_PATIENT: Final = 3
_EVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class Pacing:
    """Seconds. A cycle is to end when the oldest change that the marts don't show is `target_lag_seconds` old.

    After the first event the load waits for `settle_seconds` at least: a transaction's rows and its END land as two
    segments within some 10 ms, and one run is to take both. A build's run is there `handover_seconds` after its
    load's end at the latest. A cycle that does not end holds up the next one for `patience_seconds`, or three times
    what a cycle takes: builds that hang don't stop loads.
    """

    target_lag_seconds: float = 10.0
    settle_seconds: float = 0.1
    handover_seconds: float = 3.0
    patience_seconds: float = 60.0

    @property
    def look_seconds(self) -> float:
        """Between looks at a cycle that should have ended."""
        return min(max(self.target_lag_seconds / 10, 0.5), 5.0)

    @property
    def together_seconds(self) -> float:
        """Events that come within this time of each other are paced as one."""
        return max(self.target_lag_seconds / 100, 0.5)


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
class Look:
    """See how far the latest runs of load and build are."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Wait that long, or until an event comes; None: until an event comes."""

    seconds: float | None = None


Step = Trigger | Watch | Look | Rest


@dataclass(slots=True)
class _Owed:
    """Events heard one after the other: when the first and the last came, and when the oldest change was committed.

    No question to Airflow lies between them: what an answer covers, it covers as a whole.
    """

    question: int
    heard: float
    last: float
    oldest: float
    keys: list[str] = field(default_factory=list[str])
    traceparents: list[str] = field(default_factory=list[str])

    def add(self, hint: Hint, committed: float, now: float) -> None:
        self.oldest, self.last = min(self.oldest, committed), now
        if len(self.keys) < MAX_HINTS:
            self.keys.append(str(hint.key))
        if hint.traceparent is not None and len(self.traceparents) < MAX_HINTS:
            self.traceparents.append(hint.traceparent)


class WakeUp:
    """The state of one receiver process. It starts dirty: what happened before the start is unknown.

    `process` is unique to the process, so that a run id is never used twice. Run ids are `wake__<process>__<n>`.
    """

    def __init__(self, process: str, pacing: Pacing) -> None:
        self._process = process
        self._pacing = pacing
        self._number = 0
        self._question = 0
        self._owed = [_Owed(self._question, _EVER, _EVER, _EVER)]
        self._heard: dict[str, None] = {}
        self._ordered: Trigger | None = None
        self._queued: Watch | None = None
        self._last_look: tuple[int, frozenset[str]] | None = None
        self._listed = _EVER
        self._latest: tuple[Durations, ...] = ()
        self._open = False
        self._look_at = _EVER
        self._held_since: float | None = None

    @property
    def dirty(self) -> bool:
        """True while a wake-up is owed: events came that no acknowledged order covers."""
        return bool(self._owed) or self._ordered is not None

    @property
    def latest(self) -> Durations | None:
        """The durations of the last successful cycle."""
        return self._latest[0] if self._latest else None

    @property
    def patience_seconds(self) -> float:
        """Seconds for which a cycle that does not end holds up the next one."""
        return max(self._pacing.patience_seconds, _PATIENT * (cycle_seconds(self._latest) or 0.0))

    def due(self) -> float | None:
        """The time to wake the load; None when nothing is owed. Without a cycle to learn from: at once."""
        if not self._owed:
            return None
        settled = self._owed[0].heard + self._pacing.settle_seconds
        cycle = cycle_seconds(self._latest)
        if cycle is None:
            return settled
        # What a load has listed needs no hurry: it is in the marts as soon as that load's build ends.
        oldest = min((owed.oldest for owed in self._owed if owed.last >= self._listed), default=self._listed)
        return max(settled, oldest + self._pacing.target_lag_seconds - cycle)

    def mark(self, hints: Iterable[Hint], *, now: float, wall: float = 0.0) -> None:
        """Note events; `wall` is the time of day, in seconds since 1970, to see how old their changes are.

        New segments' keys travel as hints, `MAX_HINTS` at most; the flag is what counts.
        """
        for hint in hints:
            key = str(hint.key)
            if key in self._heard:
                continue
            self._heard[key] = None
            if len(self._heard) > REMEMBERED_KEYS:
                del self._heard[next(iter(self._heard))]
            # A source whose clock is off makes the load early or late by the target lag at most.
            age = 0.0 if hint.committed is None else wall - hint.committed
            committed = now - min(max(age, 0.0), self._pacing.target_lag_seconds)
            last = self._owed[-1] if self._owed else None
            if last is None or last.question != self._question or now > last.heard + self._pacing.together_seconds:
                self._owed.append(last := _Owed(self._question, now, now, committed))
            last.add(hint, committed, now)

    def next_step(self, now: float) -> Step:
        """Decide what to do now. Without an answer in between it gives the same order again."""
        if self._ordered is not None:
            return self._ordered
        if self._queued is not None:
            return self._queued
        due = self.due()
        if due is None:
            return Rest()
        if now < due:
            self._open = False
            return Rest(due - now)
        if not self._open:
            return Look() if now >= self._look_at else Rest(self._look_at - now)
        self._number += 1
        keys = [key for owed in self._owed for key in owed.keys]
        traceparents = dict.fromkeys(trace for owed in self._owed for trace in owed.traceparents)
        self._ordered = Trigger(
            f"wake__{self._process}__{self._number}", tuple(keys[:MAX_HINTS]), tuple(traceparents)[:MAX_HINTS]
        )
        # Cleared before the run is asked for: an event that comes from here on sets it again.
        self._owed = []
        self._open, self._held_since = False, None
        return self._ordered

    def acknowledged(self, run_id: str, now: float) -> None:
        """Note that the run exists: the order was accepted, or an earlier sending of it had been."""
        if self._ordered is not None and self._ordered.run_id == run_id:
            self._ordered, self._queued = None, Watch(run_id)
            self._look_at = now + _EARLY * min((it.cycle for it in self._latest), default=0.0)

    def asked(self) -> None:
        """Note that `Watch` or `Look` is about to be sent to Airflow, whose answer is about everything before."""
        self._question += 1

    def still_queued(self, run_id: str) -> None:
        """Note that the run was in the queue after the question was sent: it will list what had landed before."""
        if self._queued is not None and self._queued.run_id == run_id:
            self._covered(self._question)

    def left_queue(self, run_id: str) -> None:
        """Note that the run has started, has ended or is unknown."""
        if self._queued is not None and self._queued.run_id == run_id:
            self._queued = None

    def looked(self, runs: DagRuns, now: float) -> Stage:
        """Take in the latest runs; returns the stage of the cycle."""
        self._latest = durations(runs) or self._latest
        self._notice([run for run in runs.loads if run.started is not None and not run.sweep], runs.now, now)
        reached = stage(runs, self._pacing.handover_seconds)
        if reached is Stage.OVER:
            self._open = True
            return reached
        self._held_since = now if self._held_since is None else self._held_since
        held = now - self._held_since
        self._open = held >= self.patience_seconds
        self._look_at = now + min(self._pacing.look_seconds + held / 20, max(self.patience_seconds - held, 0.0))
        return reached

    def unseen(self) -> None:
        """Note that Airflow refuses to tell of its runs: an owed wake-up waits for no cycle."""
        self._open = True

    def _notice(self, started: list[DagRun], airflow_now: float, now: float) -> None:
        """A load that has started since the look before takes what had landed by that look: any but the sweep."""
        before, self._last_look = self._last_look, (self._question, frozenset(run.run_id for run in started))
        if before is None:
            return
        question, known = before
        fresh = [run for run in started if run.run_id not in known and (run.active or run.succeeded)]
        if not fresh:
            return
        self._covered(question)
        # What landed between that look and the load's start is listed too. Airflow's clock says when that was: later
        # events stay owed, whatever it says.
        moment = max(run.started for run in fresh if run.started is not None)
        self._listed = now - max(airflow_now - moment, 0.0)

    def _covered(self, question: int) -> None:
        self._owed = [owed for owed in self._owed if owed.question >= question]
