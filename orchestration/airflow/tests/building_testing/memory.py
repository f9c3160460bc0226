"""A fence in memory that says what it was asked, and whose clock a test sets."""

from dataclasses import dataclass, field, replace

from bank_dags.building.fence import FenceRow, Holder, Ownership
from bank_dags.loading.ports import PendingBuild

NOBODY = FenceRow(0, False, "", None, (), 0.0)


@dataclass
class MemoryFence:
    """The row; `owner` is the token that holds it."""

    row: FenceRow = NOBODY
    owner: str = ""
    aborted: list[int] = field(default_factory=list)
    takeovers: list[int] = field(default_factory=list)
    built: list[tuple[int, str]] = field(default_factory=list)
    beats: int = 0
    changed: int | None = None

    def read(self) -> FenceRow:
        return self.row

    def take(self, seen: FenceRow, words: str, lock: str | None, token: str) -> Ownership | None:
        if seen != self.row:
            return None
        if seen.running:
            self.takeovers.append(seen.number)
        self.row, self.owner = FenceRow(seen.number + 1, True, words, lock, (), 0.0), token
        return Ownership(self.row.number, token)

    def beat(self, owner: Ownership) -> bool:
        self.beats += 1
        return self.owner == owner.token

    def end(self, owner: Ownership, built: tuple[int, str] | None) -> bool:
        if self.owner != owner.token:
            return False
        self.row, self.owner = replace(self.row, running=False), ""
        self.built += [built] if built else []
        return True

    def abort(self, session: int) -> None:
        self.aborted.append(session)

    def pending_build(self) -> PendingBuild:
        return PendingBuild(self.changed, max((load_id for load_id, _ in self.built), default=None))


def someone(lock: str | None = None, words: str = "a test") -> Holder:
    """A caller who holds that lock, or none."""
    return Holder(words, lambda: lock)
