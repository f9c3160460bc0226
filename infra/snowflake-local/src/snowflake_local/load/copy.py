"""COPY INTO a table from Parquet files on an internal stage: all of them or none."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from snowflake_local.load import parquet
from snowflake_local.parse.names import ObjectName
from snowflake_local.recognise.commands import CopyFiles
from snowflake_local.sessions.session import Session
from snowflake_local.storage import results
from snowflake_local.storage.local_warehouse import LOADED_FILES
from snowflake_local.storage.results import Result

_COLUMNS: Final = {
    "file": "VARCHAR",
    "status": "VARCHAR",
    "rows_parsed": "BIGINT",
    "rows_loaded": "BIGINT",
    "error_limit": "BIGINT",
    "errors_seen": "BIGINT",
    "first_error": "VARCHAR",
    "first_error_line": "BIGINT",
    "first_error_character": "BIGINT",
    "first_error_column_name": "VARCHAR",
}
_ARROW: Final = {"VARCHAR": pa.string(), "BIGINT": pa.int64()}


def run(session: Session, copy: CopyFiles) -> Result:
    """Load the files, in the transaction that is open; gives one row a file, as Snowflake shows it.

    Raises:
        snowflake.connector.errors.ProgrammingError: a named file is missing, or a value does not fit its column (with
            the file's name).
        duckdb.Error: no such table.
    """
    duck, target = session.duck, session.namespace.whole(copy.table)
    place = session.warehouse.stages.find(duck, session.namespace, copy.reference)
    staged = place.files() if copy.files is None else place.named(copy.files)
    keys = {item.name: item.content_key for item in staged}
    if not copy.force:
        known = _loaded_before(duck, target, list(keys))
        staged = [item for item in staged if (item.name, keys[item.name]) not in known]
    rows = parquet.insert(duck, target, staged)
    _remember(duck, target, {item.name: keys[item.name] for item in staged})
    return _result(rows)


def _loaded_before(duck: Any, target: ObjectName, names: list[str]) -> set[tuple[str, str]]:
    """Names and contents of those files that the table has, among these."""
    where = "schema_name = ? and table_name = ? and file in (select unnest(?::varchar[]))"
    sql = f'select file, content_key from "{target.database}".{LOADED_FILES} where {where}'
    return set(duck.execute(sql, [target.schema, target.name, names]).fetchall())


def _remember(duck: Any, target: ObjectName, keys: Mapping[str, str]) -> None:
    if keys:
        values = [target.schema, target.name, list(keys), list(keys.values()), datetime.now(UTC)]
        source = "select ?, ?, unnest(?::varchar[]), unnest(?::varchar[]), ?"
        duck.execute(f'insert into "{target.database}".{LOADED_FILES} {source}', values)


def _result(rows: Mapping[str, int]) -> Result:
    if not rows:
        return results.of_texts(["status"], [["Copy executed with 0 files processed."]])
    files, counts, count = list(rows), list(rows.values()), len(rows)
    columns: list[list[Any]] = [
        files,
        ["LOADED"] * count,
        counts,
        counts,
        [1] * count,
        [0] * count,
        *[[None] * count for _ in range(4)],
    ]
    arrays = [pa.array(column, _ARROW[kind]) for column, kind in zip(columns, _COLUMNS.values(), strict=True)]
    return Result(pa.Table.from_arrays(arrays, names=list(_COLUMNS)), list(_COLUMNS.values()), count)
