"""RAW through one connection of the Snowflake connector."""

import json
import re
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error as SnowflakeError

from bank_common.landing.segments import TopicPartition
from bank_dags.adapters.snowflake import statements
from bank_dags.loading.failures import CopyRefused, FenceMissing, LoadError, TailsBehind, WarehouseFailed
from bank_dags.loading.ports import LedgerRow, LoadTransaction, PendingBuild
from bank_dags.loading.segments import Landed, LoadBatch, Tail, Tails

log = structlog.get_logger(__name__)

ROWS_PER_INSERT: Final = 1000
"""Ledger rows of one statement: some 300 KB of its text, of which Snowflake takes 1 MB."""

_STAGED_FILE: Final = re.compile(r"(?:^|/)(\d{4}-\d{20}\.parquet)$")
_DATA_ERRORS: Final = range(100_000, 101_000)
"""Error numbers of values that a statement could not convert (100038, 100071, 100132, …)."""


class SnowflakeWarehouse:
    """A `RawWarehouse`, and within `transaction()` its `LoadTransaction`. One session; not for several threads."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        """Takes an open connection with autocommit on; the caller closes it."""
        self._connection = connection

    # -- outside a transaction ---------------------------------------------------------------------------------------

    def tails(self) -> Tails:
        """See `RawWarehouse.tails` and `LoadTransaction.tails`."""
        rows = self._run("reading the ledger", statements.sql("tails"))
        return {
            TopicPartition(topic, int(partition)): Tail(int(start), int(end), status == "loaded")
            for topic, partition, start, end, status in rows
        }

    def pending_build(self) -> PendingBuild:
        """See `RawWarehouse.pending_build`."""
        (row,) = self._run("reading the ledgers", statements.sql("pending_build"))
        return PendingBuild(*(None if value is None else int(value) for value in row))

    def stage(self, folder: Path, batch: LoadBatch, stage_path: str) -> None:
        """See `RawWarehouse.stage`: one PUT per topic."""
        for topic in batch.by_topic():
            self._run("staging files", statements.put(f"{folder}/{topic}/*.parquet", f"{stage_path}/{topic}"))

    def unstage(self, stage_path: str) -> None:
        """See `RawWarehouse.unstage`."""
        try:
            self._run("removing staged files", statements.remove(stage_path))
        except LoadError as error:
            log.warning("staged_files_left", stage_path=stage_path, detail=error.message)

    @contextmanager
    def transaction(self) -> Generator[LoadTransaction]:
        """See `RawWarehouse.transaction`. Snowflake would commit what succeeded before an error: always ROLLBACK."""
        self._run("beginning", "BEGIN")
        try:
            yield self
            self._run("committing", "COMMIT")
        except BaseException:
            try:
                self._run("rolling back", "ROLLBACK")
            except LoadError as error:
                log.warning("rollback_failed", detail=error.message)
            raise

    # -- within one ----------------------------------------------------------------------------------------------

    def advance_fencing_token(self) -> int:
        """See `LoadTransaction.advance_fencing_token`."""
        self._run("waiting for the fence", statements.sql("advance_fencing_token"))
        rows = self._run("reading the fence", statements.sql("load_id"))
        if len(rows) != 1:
            raise LoadError(FenceMissing(len(rows)))
        load_id, tails_load_id = (int(value) for value in rows[0])
        if tails_load_id < load_id - 1:
            raise LoadError(TailsBehind(load_id - 1, tails_load_id))
        return load_id

    def copy(self, topic: str, files: Sequence[str], stage_path: str) -> Mapping[str, int]:
        """See `LoadTransaction.copy`. Columns of COPY's answer: file, status, rows_parsed, rows_loaded, …"""
        try:
            rows = self._run(f"loading {topic}", statements.copy_into(topic, files, stage_path))
        except LoadError as error:
            cause = error.__cause__
            if isinstance(cause, SnowflakeError) and cause.errno in _DATA_ERRORS:
                # The message quotes the value, which may be a person's.
                raise LoadError(CopyRefused(topic, f"error {cause.errno}, SQL state {cause.sqlstate}")) from None
            raise
        loaded: dict[str, int] = {}
        for row in rows:
            if len(row) > 1 and (match := _STAGED_FILE.search(row[0])):
                loaded[match[1]] = loaded.get(match[1], 0) + int(row[3])
        return loaded

    def segments_with_counted_ends(self, segments: Sequence[Landed]) -> Collection[str]:
        """See `LoadTransaction.segments_with_counted_ends`."""
        rows = self._run("reading transaction ends", *statements.counted_ends(segments))
        return {segment for (segment,) in rows}

    def record(self, load_id: int, rows: Sequence[LedgerRow]) -> None:
        """See `LoadTransaction.record`."""
        for first in range(0, len(rows), ROWS_PER_INSERT):
            group = [_document(row) for row in rows[first : first + ROWS_PER_INSERT]]
            self._run("writing the ledger", statements.sql("record_segments"), [load_id, json.dumps(group)])
        self._run("moving the tails", statements.sql("move_tails"), [load_id])

    def record_build(self, load_id: int, run_id: str) -> None:
        """Append a row to RAW.BUILD_LEDGER: a build that saw everything up to `load_id` succeeded."""
        self._run("recording the build", statements.sql("record_build"), [load_id, run_id])

    def _run(self, doing: str, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with _failures(doing), self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall()  # pyright: ignore[reportReturnType] - tuples, as no DictCursor is asked for


def _document(row: LedgerRow) -> dict[str, Any]:
    """A ledger row as `record_segments.sql` reads it."""
    return {
        "segment": row.segment,
        "topic": row.chain.topic,
        "partition": row.chain.partition,
        "start": row.start,
        "end": row.end,
        "rows": row.rows,
        "rejected": row.rejected,
        "schema_id": row.schema_id,
        "sha256": row.sha256,
        "changes_marts": row.changes_marts,
        "status": row.status,
        "reason": row.reason,
    }


@contextmanager
def _failures(doing: str) -> Generator[None]:
    try:
        yield
    except SnowflakeError as error:
        raise LoadError(WarehouseFailed(doing, f"{error.errno} {(error.msg or str(error)).strip()}")) from error
