"""Reads the columns of the captured tables from the source's own catalogue."""

from collections.abc import Sequence

import psycopg

from bank_common.runtime.errors import PipelineError
from bankctl.model.source_column import SourceColumn


class CatalogueError(PipelineError):
    """A captured table is not in the source."""


_COLUMNS = """
SELECT c.column_name,
       CASE WHEN t.typtype = 'e' THEN 'enum' WHEN c.data_type = 'USER-DEFINED' THEN t.typname ELSE c.data_type END,
       c.character_maximum_length,
       CASE WHEN c.data_type = 'numeric' THEN c.numeric_precision END,
       CASE WHEN c.data_type = 'numeric' THEN c.numeric_scale END
  FROM information_schema.columns c
  JOIN pg_namespace n ON n.nspname = c.udt_schema
  JOIN pg_type t ON t.typnamespace = n.oid AND t.typname = c.udt_name
 WHERE c.table_schema = %s AND c.table_name = %s
 ORDER BY c.ordinal_position
"""


def read(dsn: str, schema: str, tables: Sequence[str]) -> dict[str, tuple[SourceColumn, ...]]:
    """The columns of each table, in the table's order.

    Raises:
        CatalogueError: a table has no columns that this role may see.
    """
    with psycopg.connect(dsn) as connection:
        columns_by_table = {
            table: tuple(SourceColumn(*row) for row in connection.execute(_COLUMNS, (schema, table)))
            for table in tables
        }
    if missing := [table for table, columns in columns_by_table.items() if not columns]:
        raise CatalogueError(
            f"The source has no table {', '.join(f'{schema}.{table}' for table in missing)}.",
            advice="Write the migration that creates it, or take it out of infra/platform.toml.",
        )
    return columns_by_table
