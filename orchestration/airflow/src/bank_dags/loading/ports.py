"""Ports of a load: the landing and the warehouse. Adapters: `store` (S3) and `snowflake`; tests bring their own."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from bank_common.landing.segments import SegmentKey, SegmentMetadata, TopicPartition
from bank_dags.loading.segments import Landed, Listed, LoadBatch, Tail, Tails

FILES_PER_COPY: Final = 500
"""Snowflake takes 1,000; half of it keeps the statement short."""


class LandingReader(Protocol):
    """The landing bucket, read only. Every method raises LoadError: StoreFailed, or a halt that it names."""

    def chains(self, topic: str) -> Collection[TopicPartition]:
        """List every chain of the topic that has an object. Raises ForeignObject as well."""
        ...

    def after(self, chain: TopicPartition, tail: Tail | None, limit: int) -> Sequence[Listed]:
        """List at most `limit` segments after the ledger's tail, in order of start; None: from the chain's beginning.

        Raises:
            LoadError: LedgerBeyondLanding when the tail's own segment is not there; ForeignObject.
        """
        ...

    def metadata(self, key: SegmentKey) -> SegmentMetadata | None:
        """Read an object's metadata; None when there is no such object. Raises ForeignObject as well."""
        ...

    def fetch(self, key: SegmentKey, target: Path) -> SegmentMetadata:
        """Write the object's bytes to a file, in bounded memory, with one request; gives what it says of itself.

        Raises:
            LoadError: ContentDiffers when the bytes' sha256 is not the metadata's; ForeignObject.
        """
        ...


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row of RAW.LOAD_LEDGER, without what the transaction adds (its load id and time)."""

    segment: str
    chain: TopicPartition
    start: int
    end: int
    rows: int
    rejected: int
    schema_id: int | None
    sha256: str | None
    changes_marts: bool
    status: str
    reason: str | None = None


class LoadTransaction(Protocol):
    """The open transaction of a load. Any error in it must reach `RawWarehouse.transaction`, which rolls back."""

    def advance_fencing_token(self) -> int:
        """Advance the fencing token, waiting for whoever holds the row; the token is this load's id.

        Raises:
            LoadError: FenceMissing; TailsBehind when the tails lack a committed load.
        """
        ...

    def tails(self) -> Tails:
        """The ledger's tails as this transaction sees them."""
        ...

    def copy(self, topic: str, files: Sequence[str], stage_path: str) -> Mapping[str, int]:
        """COPY the staged files into the topic's RAW table; gives the rows loaded of each file. See FILES_PER_COPY.

        Raises:
            LoadError: CopyRefused when a value does not fit its column.
        """
        ...

    def segments_with_counted_ends(self, segments: Sequence[Landed]) -> Collection[str]:
        """Of loaded segments of the transaction topic, find the keys of those with an END that counts a RAW table."""
        ...

    def record(self, load_id: int, rows: Sequence[LedgerRow]) -> None:
        """Insert ledger rows and move the tails of their chains."""
        ...


ALIVE_SECONDS: Final = 25
"""A build that was silent for so long is not counted on: it writes its heartbeat every ten seconds."""


@dataclass(frozen=True, slots=True)
class PendingBuild:
    """The pending build: the last load id that changes marts, and the last one that a build has seen."""

    changed_load_id: int | None
    built_load_id: int | None
    silent_seconds: float | None = None
    """Since the last heartbeat of the build that runs; None: no build runs."""

    @property
    def is_pending(self) -> bool:
        """True when RAW holds changes of the marts that no successful build has seen (M10)."""
        return self.changed_load_id is not None and (
            self.built_load_id is None or self.changed_load_id > self.built_load_id
        )

    def is_asked_for(self, *, loaded: bool) -> bool:
        """True when a run that `loaded` something, or nothing, asks for the build.

        A run that loaded nothing leaves a build alone that runs and lives: what that one does not show is asked for by
        the load that brought it, or by the next sweep.
        """
        lives = self.silent_seconds is not None and self.silent_seconds < ALIVE_SECONDS
        return self.is_pending and (loaded or not lives)


class RawWarehouse(Protocol):
    """RAW, its ledgers and its stage. Methods raise LoadError: WarehouseFailed."""

    def tails(self) -> Tails:
        """The ledger's tails, as committed."""
        ...

    def pending_build(self) -> PendingBuild:
        """Read the pending build from the ledgers, as committed."""
        ...

    def stage(self, folder: Path, batch: LoadBatch, stage_path: str) -> None:
        """PUT the batch's files from `folder/<topic>/<file>` to `<stage_path>/<topic>/<file>`."""
        ...

    def unstage(self, stage_path: str) -> None:
        """Remove everything below a stage path. Best effort: a leftover file is never loaded by anybody."""
        ...

    def transaction(self) -> AbstractContextManager[LoadTransaction]:
        """COMMIT at the end of the block, ROLLBACK on any error in it."""
        ...
