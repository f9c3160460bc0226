"""Renders `infra/warehouse/raw/*.sql`: the RAW tables, from the catalogue and the segments' columns. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from bank_common import names
from bank_common.envelope.avro import exact_decimal
from bank_common.landing import columns as c
from bank_common.runtime.errors import PipelineError
from bankctl.model.catalogue import Catalogue, SourceColumn

_INT32: Final = "NUMBER(10,0)"
_INT64: Final = "NUMBER(20,0)"
_INSTANT: Final = "TIMESTAMP_TZ(6)"
_MAX_PRECISION: Final = 38

_TYPES: Final = {
    "smallint": _INT32,
    "integer": _INT32,
    "bigint": _INT64,
    "boolean": "BOOLEAN",
    "real": "FLOAT",
    "double precision": "FLOAT",
    "text": "VARCHAR",
    "json": "VARCHAR",
    "jsonb": "VARCHAR",
    "xml": "VARCHAR",
    "enum": "VARCHAR",
    "uuid": "VARCHAR(36)",
    "bytea": "BINARY",
    "date": "DATE",
    "time without time zone": "TIME(6)",
    "timestamp without time zone": "TIMESTAMP_NTZ(6)",
    "timestamp with time zone": _INSTANT,
    # As bank_common.envelope.avro lands them: an interval is its microseconds, what has parts is JSON text, and the
    # rest of these is the text that the source shows.
    "interval": _INT64,
    "oid": _INT64,
    "money": f"NUMBER({_MAX_PRECISION},2)",
    "bit varying": "BINARY",
    **dict.fromkeys(("ARRAY", "point"), "VARCHAR"),
    **dict.fromkeys(("time with time zone", "inet", "cidr", "macaddr", "macaddr8", "tsvector"), "VARCHAR"),
    **dict.fromkeys(("citext", "hstore", "ltree", "vector", "halfvec", "sparsevec"), "VARCHAR"),
    **dict.fromkeys(("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"), "VARCHAR"),
}
_OWN_TYPES: Final = {
    c.LSN: _INT64,
    c.TX_ID: _INT64,
    c.TX_ORDER: _INT64,
    c.SOURCE_TIME: _INSTANT,
    c.PARTITION: _INT32,
    c.OFFSET: _INT64,
    c.SCHEMA_ID: _INT32,
    "tx_id": _INT64,
    "lsn": _INT64,
    "event_count": _INT64,
    "row_count": _INT64,
}
"""The columns that are not the source's; the others of them are VARCHAR."""

_IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9_]*")
# https://docs.snowflake.com/en/sql-reference/reserved-keywords: what an unquoted column can't be called.
_RESERVED: Final = frozenset(
    """
    all alter and any as between by case cast check column connect constraint create cross current current_date
    current_time current_timestamp current_user delete distinct drop else exists false following for from full grant
    group having ilike in increment inner insert intersect into is join lateral left like localtime localtimestamp
    minus natural not null of on or order qualify regexp revoke right rlike row rows sample select set some start
    table tablesample then to trigger true try_cast union unique update using values view when whenever where with
    """.split()  # noqa: SIM905 - a list of a hundred strings is no easier to read
)
_HEADER: Final = "-- Rendered by `bank render`; do not edit.\n"
_PAST: Final = (
    "Or leave the column at the source: name it in `excluded` of its table in infra/platform.toml, then `bank render`."
)


class RawDdlError(PipelineError):
    """A source column has no exact place in RAW."""


def column_type(table: str, column: SourceColumn) -> str:
    """The RAW type that holds every value of a source column exactly.

    Raises:
        RawDdlError: there is none, or the column's name can't stand unquoted in the warehouse.
    """
    qualified_name = f"{table}.{column.name}"
    if not _IDENTIFIER.fullmatch(column.name) or column.name in _RESERVED:
        raise RawDdlError(
            f"The column name {qualified_name} can't be written unquoted in the warehouse.",
            advice="Give it a plain name: a lower-case letter, then letters, digits and underscores, not a reserved "
            f"word. {_PAST}",
        )
    if column.data_type in {"character varying", "character"}:
        return "VARCHAR" if column.length is None else f"VARCHAR({column.length})"
    if column.data_type == "bit":
        return "BOOLEAN" if column.length == 1 else "BINARY"
    if column.data_type == "numeric":
        exact = None if column.precision is None else exact_decimal(column.precision, column.scale or 0)
        # Without one its digits are text: the scale travels with each value, or there are too many.
        return "VARCHAR" if exact is None else "NUMBER({},{})".format(*exact)
    if column.data_type in _TYPES:
        return _TYPES[column.data_type]
    raise RawDdlError(
        f"The column {qualified_name} has the type {column.data_type}, which RAW can't hold exactly.",
        advice="Add its exact counterpart to the mapping in bankctl.model.raw_ddl and to bank_common.envelope.avro. "
        f"{_PAST}",
    )


def render(catalogue: Catalogue) -> dict[str, str]:
    """File name -> text, for the captured tables and the two that describe their transactions and snapshots.

    Raises:
        RawDdlError: see `column_type`.
    """
    files = {f"{table.name}.sql": _change_table(table.name, table.columns) for table in catalogue}
    files["source_transactions.sql"] = _own_table(names.SOURCE_TRANSACTIONS, c.TRANSACTION_COLUMNS)
    files["source_notifications.sql"] = _own_table(names.SOURCE_NOTIFICATIONS, c.NOTIFICATION_COLUMNS)
    return files


def _change_table(table: str, columns: Sequence[SourceColumn]) -> str:
    business = [(column.name, column_type(table, column)) for column in columns]
    created = _create(table.upper(), [*business, *_own(c.CHANGE_COLUMNS)])
    added = [*business, *_own([c.NOT_REPRESENTABLE])]
    return f"{created}\n-- For a table that was made before a column was.\n{_alter(table.upper(), added)}"


def _own_table(table: str, columns: Iterable[str]) -> str:
    return _create(table, _own(columns))


def _own(columns: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, _OWN_TYPES.get(name, "VARCHAR")) for name in columns]


def _create(table: str, columns: Iterable[tuple[str, str]]) -> str:
    lines = ",\n".join(f"   {name.upper()} {kind}" for name, kind in columns)
    return f"{_HEADER}CREATE TABLE IF NOT EXISTS {names.RAW_SCHEMA}.{table} (\n{lines}\n);\n"


def _alter(table: str, columns: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f"ALTER TABLE {names.RAW_SCHEMA}.{table} ADD COLUMN IF NOT EXISTS {name.upper()} {kind};\n"
        for name, kind in columns
    )
