"""Reads both sides of every table and compares them: the source in one snapshot, the marts as they are shown."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import psycopg
from snowflake.connector.errors import ProgrammingError

from bank_common import names
from bank_common.runtime.errors import PipelineError
from bankctl.verify.comparison import TABLES, ComparedTable, Difference, Row, compare

_BATCH: Final = 10_000
_DOES_NOT_EXIST: Final = 2003
"""Snowflake's number for an object that does not exist or is not authorized."""


def verify(source_dsn: str, warehouse: Any, tables: Sequence[ComparedTable] = TABLES) -> tuple[Difference, ...]:
    """Compare every table. The source is read in one REPEATABLE READ snapshot, as a role that may only read."""
    with psycopg.connect(source_dsn, options="-c timezone=UTC") as source:
        source.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        source.read_only = True
        return tuple(compare(table, _source(source, table), _mart(warehouse, table)) for table in tables)


def a_customer(source_dsn: str) -> int:
    """The key of some customer of the source."""
    with psycopg.connect(source_dsn) as source:
        row = source.execute("SELECT id FROM customers ORDER BY id LIMIT 1").fetchone()
    if row is None:
        raise PipelineError("The bank has no customers.", advice="Let the generator work: `bank demo --customers 20`.")
    return int(row[0])


def _source(connection: psycopg.Connection[Row], table: ComparedTable) -> Iterator[Row]:
    with connection.cursor(name=f"verify_{table.table}") as cursor:
        cursor.itersize = _BATCH
        yield from cursor.execute(table.source_query.encode())


def _mart(connection: Any, table: ComparedTable) -> Iterator[Row]:
    with connection.cursor() as cursor:
        try:
            cursor.execute(table.mart_query)
        except ProgrammingError as error:
            # Before the first build there is no mart: it has no rows yet.
            if error.errno != _DOES_NOT_EXIST:
                raise
            return
        while rows := cursor.fetchmany(_BATCH):
            yield from rows


def operations(warehouse: Any) -> dict[str, dict[str, int]]:
    """Table -> operation (r, c, u, d, t) -> how often RAW has seen it."""
    counts: dict[str, dict[str, int]] = {}
    for table in names.TABLES:
        statement = f"SELECT _CDC_OP, COUNT(*) FROM {names.RAW_SCHEMA}.{table.raw_table} GROUP BY _CDC_OP"  # noqa: S608
        counts[table.name] = {operation: int(count) for operation, count in _all(warehouse, statement)}
    return counts


def _all(warehouse: Any, statement: str) -> Iterable[tuple[Any, ...]]:
    with warehouse.cursor() as cursor:
        return cursor.execute(statement).fetchall()
