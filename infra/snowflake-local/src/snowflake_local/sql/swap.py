"""ALTER TABLE … SWAP WITH: three renames in one transaction."""

import duckdb
from sqlglot import exp

from snowflake_local.sql.commands import SwapTables

_BETWEEN = "_SWAPPED_OUT"


def run(duck: duckdb.DuckDBPyConnection, swap: SwapTables) -> None:
    """Exchange the names of two tables, both or neither.

    Raises:
        duckdb.CatalogException: one of them is not there; nothing has changed.
    """
    one, other = (_table(name) for name in (swap.one, swap.other))
    duck.begin()
    try:
        for table, name in ((one, _BETWEEN), (other, one.name), (_beside(one, _BETWEEN), other.name)):
            duck.execute(f'ALTER TABLE {table.sql("duckdb")} RENAME TO "{name}"')
    except BaseException:
        duck.rollback()
        raise
    duck.commit()


def _table(name: str) -> exp.Table:
    table = exp.to_table(name, dialect="snowflake")
    for part in table.parts:
        if isinstance(part, exp.Identifier) and not part.quoted:
            part.set("this", part.name.upper())
        part.set("quoted", True)
    return table


def _beside(table: exp.Table, name: str) -> exp.Table:
    copy = table.copy()
    copy.set("this", exp.to_identifier(name, quoted=True))
    return copy
