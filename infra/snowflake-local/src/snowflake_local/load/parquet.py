"""Parquet files into a table: one statement for all files of one schema, and the first bad file by its name."""

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.parse.names import ObjectName
from snowflake_local.storage.stages import StagedFile

_BAD_VALUES = (duckdb.ConversionException, duckdb.ConstraintException, duckdb.OutOfRangeException)


@dataclass(slots=True)
class _Group:
    """Files of one schema, with the rows of each."""

    schema: pq.ParquetSchema
    files: list[StagedFile] = field(default_factory=list)
    rows: int = 0

    def insert(self, into: str, columns: Sequence[str]) -> str:
        return _insert(into, columns, self.schema, self.files)


def insert(duck: duckdb.DuckDBPyConnection, target: ObjectName, files: Sequence[StagedFile]) -> dict[str, int]:
    """Load the files, in the transaction that is open; gives the rows of each by its name, in the files' order.

    Raises:
        snowflake.connector.errors.ProgrammingError: a file is no Parquet, has no column of the table, or has a value
            that does not fit its column: the first such file in the files' order is named.
    """
    if not files:
        return {}
    groups, rows = _groups(files)
    described = duck.execute(f"DESCRIBE {target.quoted}").fetchall()
    columns = [name for name, *_ in described]
    for group in groups:
        if not _matched(columns, group.schema):
            raise errors.compilation(f"No column of file '{group.files[0].name}' matches a column of {target.name}.")
    try:
        for group in groups:
            loaded = duck.execute(group.insert(target.quoted, columns)).fetchall()[0][0]
            if loaded != group.rows:
                raise errors.compilation(f"{loaded} rows were read where the files' footers count {group.rows}.")
    except _BAD_VALUES as error:
        raise _first_error(duck, described, files, error) from None
    return rows


def _groups(files: Sequence[StagedFile]) -> tuple[list[_Group], dict[str, int]]:
    groups: list[_Group] = []
    rows: dict[str, int] = {}
    for item in files:
        footer = _footer(item)
        group = next((group for group in groups if group.schema.equals(footer.schema)), None)
        if group is None:
            groups.append(group := _Group(footer.schema))
        group.files.append(item)
        group.rows += footer.num_rows
        rows[item.name] = footer.num_rows
    return groups, rows


def _footer(item: StagedFile) -> pq.FileMetaData:
    try:
        return pq.read_metadata(item.path)
    except (pa.ArrowException, OSError) as error:
        text = f"Error parsing the Parquet file: {str(error).splitlines()[0]}\n  File '{item.name}'"
        raise ProgrammingError(msg=text, errno=100142, sqlstate="22000") from None


def _matched(columns: Sequence[str], schema: pq.ParquetSchema) -> list[tuple[str, str]]:
    """The table's columns that the file has, each with the file's name for it."""
    sent = {name.upper(): name for name in schema.to_arrow_schema().names}
    return [(column, sent[column.upper()]) for column in columns if column.upper() in sent]


def _insert(into: str, columns: Sequence[str], schema: pq.ParquetSchema, files: Sequence[StagedFile]) -> str:
    matched = _matched(columns, schema)
    paths = ", ".join(exp.Literal.string(str(item.path)).sql("duckdb") for item in files)
    names, values = (", ".join(f'"{pair[side]}"' for pair in matched) for side in (0, 1))
    return f"insert into {into} ({names}) select {values} from read_parquet([{paths}])"


def _first_error(
    duck: duckdb.DuckDBPyConnection, described: list[Any], files: Sequence[StagedFile], error: duckdb.Error
) -> ProgrammingError:
    """Each file by itself, into a table of the same columns and outside of the transaction, until one fails."""
    columns = [name for name, *_ in described]
    fields = ", ".join(f'"{name}" {kind}{" not null" * (null == "NO")}' for name, kind, null, *_ in described)
    with closing(duck.cursor()) as probe:
        probe.execute(f"create or replace temp table _probe ({fields})")
        try:
            for item in files:
                try:
                    probe.execute(_insert("_probe", columns, _footer(item).schema, [item]))
                except _BAD_VALUES as found:
                    return _bad_value(found, f"\n  File '{item.name}'")
        finally:
            with suppress(duckdb.Error):
                probe.execute("drop table _probe")
    return _bad_value(error, "")


def _bad_value(error: duckdb.Error, where: str) -> ProgrammingError:
    text = f"{str(error).splitlines()[0]}{where}"
    if isinstance(error, duckdb.ConstraintException):
        return errors.null_result(text)
    return ProgrammingError(msg=text, errno=100038, sqlstate="22018")
