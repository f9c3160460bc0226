"""The build fence: one build at a time in the warehouse, by the row of RAW.BUILD_FENCE and its owner's heartbeat."""

import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

import structlog

from bank_common.runtime.errors import PipelineError
from bank_dags.building.results import BuildError

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS: Final = 10.0
DEAD_SECONDS: Final = 60
"""An owner whose heartbeat is as old as this, by the warehouse's clock, is dead."""
POLL_SECONDS: Final = 1.0


class FenceHeldError(BuildError):
    """Another build is running; nothing was begun, and the build stays pending."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A caller that asks for the fence: words for people, and the function that tries its processes' lock (lock.py)."""

    words: str
    lock: Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class FenceRow:
    """The row as committed. `silent_seconds` is the heartbeat's age by the warehouse's clock."""

    number: int
    running: bool
    holder: str
    lock: str | None
    sessions: tuple[int, ...]
    silent_seconds: float

    def may_be_taken(self, lock: str | None) -> bool:
        """Nobody builds, or who did is dead: silent for long, or proved dead by the lock that we hold now."""
        dead = self.silent_seconds >= DEAD_SECONDS or (self.lock is not None and self.lock == lock)
        return not self.running or dead


@dataclass(frozen=True, slots=True)
class Ownership:
    """A build's number, and the token that nobody else has."""

    number: int
    token: str

    @property
    def variables(self) -> dict[str, str]:
        """Variables that dbt compares with the row (macros/build_fence.sql). No dbt prefix: no parse rests on them."""
        return {"BANK_BUILD_NUMBER": str(self.number), "BANK_BUILD_OWNER": self.token}


class FenceTable(Protocol):
    """RAW.BUILD_FENCE. Every method raises a PipelineError when the warehouse does not answer."""

    def read(self) -> FenceRow:
        """The row, as committed."""
        ...

    def take(self, seen: FenceRow, words: str, lock: str | None, token: str) -> Ownership | None:
        """The next number, by compare-and-set, with a record of whom it was taken from; None: somebody was faster."""
        ...

    def beat(self, owner: Ownership) -> bool:
        """Renew the heartbeat; False when somebody else owns the row."""
        ...

    def end(self, owner: Ownership, built: tuple[int, str] | None) -> bool:
        """Give the fence back; with (load id, run id) the build is recorded, both or none. False: not ours any more."""
        ...

    def abort(self, session: int) -> None:
        """End a session of a dead build: its statement, its transaction. Best effort."""
        ...


class Hold:
    """A held fence: while the block lasts a thread writes the heartbeat."""

    def __init__(self, table: FenceTable, owner: Ownership, every_seconds: float = HEARTBEAT_SECONDS) -> None:
        """`owner` was just taken."""
        self.owner = owner
        self._table, self._every = table, every_seconds
        self._stop, self._lost, self._ended = threading.Event(), threading.Event(), False
        self._thread = threading.Thread(target=self._beat, name="build-heartbeat", daemon=True)

    def check(self) -> None:
        """Go on only as the owner. Raises BuildError."""
        if self._lost.is_set():
            raise BuildError(
                f"Build {self.owner.number} lost its fence to another build and was stopped.",
                advice="It was silent for a minute: `select * from raw.build_takeovers` says who took over, and when. "
                "Runbook: infra/runbooks/build-fence-held.md.",
            )

    def succeed(self, built: tuple[int, str] | None) -> None:
        """Give the fence back, with the build on record. Raises BuildError: it was lost, and nothing is recorded."""
        self._quiet()
        self._ended = True
        if not self._table.end(self.owner, built):
            self._lost.set()
            self.check()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._quiet()
        if self._ended or self._lost.is_set():
            return
        try:
            # dbt may have ended in the middle of a statement, which the warehouse would bring to its end.
            for session in self._table.read().sessions:
                self._table.abort(session)
            self._table.end(self.owner, None)
        except PipelineError as failure:
            log.warning("build_fence_kept", number=self.owner.number, detail=failure.message)

    def _quiet(self) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        heard = time.monotonic()
        while not self._stop.wait(self._every):
            try:
                if not self._table.beat(self.owner):
                    return self._lost.set()
                heard = time.monotonic()
            except PipelineError as failure:
                log.warning("build_heartbeat_failed", number=self.owner.number, detail=failure.message)
                if time.monotonic() - heard >= DEAD_SECONDS:
                    return self._lost.set()


@contextmanager
def held(
    table: FenceTable, holder: Holder, wait_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> Generator[Hold]:
    """Hold the fence: at once when it is free or its owner is dead, else after at most `wait_seconds`.

    Raises:
        FenceHeldError: somebody else builds; the message says who.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        row, lock = table.read(), holder.lock()
        if row.may_be_taken(lock) and (owner := _take(table, row, holder.words, lock)) is not None:
            break
        if time.monotonic() >= deadline:
            raise FenceHeldError(
                f"Build {row.number} is running: {row.holder}, last heard of {row.silent_seconds:.0f} s ago.",
                advice=f"`--wait` waits for its end; a dead one is taken over {DEAD_SECONDS} s after its last word. "
                "Runbook: infra/runbooks/build-fence-held.md.",
            )
        sleep(POLL_SECONDS)
    with Hold(table, owner) as hold:
        yield hold


def _take(table: FenceTable, row: FenceRow, words: str, lock: str | None) -> Ownership | None:
    if row.running:
        # First, for a dead build's open transaction may hold the row; its dbt, if it wakes, finds its sessions gone.
        for session in row.sessions:
            table.abort(session)
    owner = table.take(row, words, lock, uuid.uuid4().hex)
    if owner is not None and row.running:
        log.warning("build_taken_over", number=row.number, holder=row.holder, silent_seconds=round(row.silent_seconds))
    return owner
