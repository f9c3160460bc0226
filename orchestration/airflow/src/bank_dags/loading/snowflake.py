"""RAW through one connection of the Snowflake connector."""

import re
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error as SnowflakeError

from bank_dags import statements
from bank_dags.loading.ports import LedgerRow, Standing, Transaction
from bank_dags.loading.reasons import FenceMissing, LoadError, WarehouseFailed
from bank_dags.loading.segments import Batch, Chain, Landed, Tail, Tails

log = structlog.get_logger(__name__)

_STAGED_FILE: Final = re.compile(r"(?:^|/)(\d{4}/\d{20}\.parquet)$")


class SnowflakeWarehouse:
    """A `Warehouse`, and within `transaction()` its `Transaction`. One session; not for several threads."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        """Takes an open connection with autocommit on; the caller closes it."""
        self._connection = connection

    # -- outside a transaction ---------------------------------------------------------------------------------------

    def tails(self) -> Tails:
        """See `Warehouse.tails` and `Transaction.tails`."""
        rows = self._run("reading the ledger", statements.sql("tails"))
        return {
            Chain(topic, int(partition)): Tail(int(start), int(end), status == "loaded")
            for topic, partition, start, end, status in rows
        }

    def standing(self) -> Standing:
        """See `Warehouse.standing`."""
        ((changed, built),) = self._run("reading the ledgers", statements.sql("standing"))
        return Standing(*(None if value is None else int(value) for value in (changed, built)))

    def stage(self, folder: Path, batch: Batch, stage_path: str) -> None:
        """See `Warehouse.stage`: one PUT per chain."""
        for topic, partition in dict.fromkeys(segment.chain for segment in batch.segments if segment.metadata.rows):
            place = f"{topic}/{partition:04d}"
            self._run("staging files", statements.put(f"{folder}/{place}/*.parquet", f"{stage_path}/{place}"))

    def unstage(self, stage_path: str) -> None:
        """See `Warehouse.unstage`."""
        try:
            self._run("removing staged files", statements.remove(stage_path))
        except LoadError as error:
            log.warning("staged_files_left", stage_path=stage_path, detail=error.message)

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        """See `Warehouse.transaction`. Snowflake would commit what succeeded before an error: always ROLLBACK."""
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

    def raise_fence(self) -> int:
        """See `Transaction.raise_fence`."""
        self._run("waiting for the fence", statements.sql("raise_fence"))
        rows = self._run("reading the fence", statements.sql("load_id"))
        if len(rows) != 1:
            raise LoadError(FenceMissing(len(rows)))
        return int(rows[0][0])

    def copy(self, topic: str, files: Sequence[str], stage_path: str) -> Mapping[str, int]:
        """See `Transaction.copy`. Columns of COPY's answer: file, status, rows_parsed, rows_loaded, …"""
        rows = self._run(f"loading {topic}", statements.copy_into(topic, files, stage_path))
        loaded: dict[str, int] = {}
        for row in rows:
            if len(row) > 1 and (match := _STAGED_FILE.search(row[0])):
                loaded[match[1]] = loaded.get(match[1], 0) + int(row[3])
        return loaded

    def segments_with_counted_ends(self, segments: Sequence[Landed]) -> Collection[str]:
        """See `Transaction.segments_with_counted_ends`."""
        rows = self._run("reading transaction ends", *statements.counted_ends(segments))
        return {segment for (segment,) in rows}

    def record(self, load_id: int, rows: Sequence[LedgerRow]) -> None:
        """See `Transaction.record`."""
        values = [
            (
                row.segment,
                *row.chain,
                row.start,
                row.end,
                row.rows,
                row.rejected,
                row.schema_id,
                row.sha256,
                load_id,
                row.changes_marts,
                row.status,
                row.reason,
            )
            for row in rows
        ]
        with _failures("writing the ledger"), self._connection.cursor() as cursor:
            cursor.executemany(statements.sql("record_segment"), values)

    def record_build(self, load_id: int, run_id: str) -> None:
        """Append a row to RAW.BUILD_LEDGER: a build that saw everything up to `load_id` succeeded."""
        self._run("recording the build", statements.sql("record_build"), [load_id, run_id])

    def _run(self, doing: str, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with _failures(doing), self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall()  # pyright: ignore[reportReturnType] - tuples, as no DictCursor is asked for


@contextmanager
def _failures(doing: str) -> Generator[None]:
    try:
        yield
    except SnowflakeError as error:
        raise LoadError(WarehouseFailed(doing, f"{error.errno} {(error.msg or str(error)).strip()}")) from error
