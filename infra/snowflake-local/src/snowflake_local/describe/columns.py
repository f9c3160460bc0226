"""A result's columns as clients are told of them."""

from collections.abc import Iterable, Sequence
from typing import Final

from fakesnow import rowtype
from fakesnow.rowtype import ColumnInfo

_WHOLE: Final = ("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT", "UINTEGER", "UHUGEINT")
_OTHER_NAMES: Final = dict.fromkeys(_WHOLE, "BIGINT") | {
    "FLOAT": "DOUBLE",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    "DATE": "DATE",
}
_KNOWN: Final = frozenset(rowtype.duckdb_to_sf_type)


def row_types(names: Iterable[str], types: Sequence[str]) -> list[ColumnInfo]:
    """Snowflake's description of columns of these names and DuckDB types."""
    described = [(name, _sendable(kind), *[None] * 4) for name, kind in zip(names, types, strict=True)]
    return rowtype.describe_as_rowtype(described)  # pyright: ignore[reportUnknownMemberType]


def _sendable(kind: str) -> str:
    """A type that upstream can send: lists and structs as text, small numbers as large."""
    if kind in _KNOWN or (kind.startswith("DECIMAL") and not kind.endswith("]")):
        return kind
    return _OTHER_NAMES.get(kind, "VARCHAR")
