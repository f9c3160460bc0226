"""Results of statements: Arrow tables with DuckDB's types, the last ones kept for RESULT_SCAN."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb
import pyarrow as pa

_KEPT: Final = 100
_KEPT_BYTES: Final = 32 * 1024 * 1024


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Result:
    """A statement's result.

    Attributes:
        table: its rows.
        types: DuckDB's name for the type of each column.
        count: the rows that were changed, or that there are.
        query_id: what clients call it.
    """

    table: pa.Table
    types: Sequence[str]
    count: int
    query_id: str = field(default_factory=_new_id)


def fetched(duck: duckdb.DuckDBPyConnection) -> Result:
    """What DuckDB has at hand."""
    table: pa.Table = duck.to_arrow_table()
    return Result(table, [str(kind) for _name, kind, *_ in duck.description or ()], table.num_rows)


def of_texts(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Result:
    """Rows of text."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    texts = [[None if value is None else str(value) for value in column] for column in columns]
    arrays = [pa.array(column, pa.string()) for column in texts]
    return Result(pa.Table.from_arrays(arrays, names=list(names)), ["VARCHAR"] * len(names), len(rows))


def of_types(names: Sequence[str], types: Sequence[str]) -> Result:
    """No rows, of columns of these types of DuckDB."""
    return Result(pa.Table.from_arrays([pa.array([], pa.string())] * len(names), names=list(names)), types, 0)


def of_counts(names: Sequence[str], counts: Sequence[int], changed: int) -> Result:
    """One row of numbers, for `changed` rows."""
    arrays = [pa.array([count], pa.int64()) for count in counts]
    return Result(pa.Table.from_arrays(arrays, names=list(names)), ["BIGINT"] * len(names), changed)


class LastResults:
    """The last results of all sessions."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, Result] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def keep(self, result: Result) -> None:
        """Keep a result, if it is not kept already, for as long as there is room."""
        with self._lock:
            if result.query_id in self._results:
                return
            self._results[result.query_id] = result
            self._bytes += result.table.nbytes
            while len(self._results) > _KEPT or (len(self._results) > 1 and self._bytes > _KEPT_BYTES):
                self._bytes -= self._results.popitem(last=False)[1].table.nbytes

    def get(self, query_id: str) -> Result | None:
        """The result of this id, if it is still kept."""
        return self._results.get(query_id)
