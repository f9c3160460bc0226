"""ALTER TABLE … SWAP WITH: three renames in one transaction."""

from dataclasses import replace
from typing import Final

import duckdb
from sqlglot import exp

from snowflake_local.parse.names import ObjectName

_BETWEEN: Final = "_SWAPPED_OUT"


def run(duck: duckdb.DuckDBPyConnection, one: ObjectName, other: ObjectName) -> None:
    """Exchange the names of two tables, both or neither.

    Raises:
        duckdb.CatalogException: one of them is not there; nothing has changed.
    """
    duck.begin()
    try:
        for table, name in ((one, _BETWEEN), (other, one.name), (replace(one, name=_BETWEEN), other.name)):
            duck.execute(f"ALTER TABLE {table.quoted} RENAME TO {exp.to_identifier(name, quoted=True).sql('duckdb')}")
    except BaseException:
        duck.rollback()
        raise
    duck.commit()
