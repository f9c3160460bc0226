"""Reads the columns and primary keys of the captured tables from the source's own catalogue."""

from collections.abc import Collection, Sequence

import psycopg

from bankctl.model.catalogue import CatalogueError, SourceColumn, SourceTable

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
_KEY = """
SELECT a.attname::text
  FROM pg_index i
  JOIN pg_class r ON r.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
 CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.attnum
 WHERE n.nspname = %s AND r.relname = %s AND i.indisprimary
 ORDER BY k.place
"""


def read(dsn: str, schema: str, tables: Sequence[str], *, excluded: Collection[str] = ()) -> tuple[SourceTable, ...]:
    """The tables with their captured columns (not the `excluded`: `schema.table.column`) and keys, as asked for.

    Raises:
        CatalogueError: a table has no columns that this role may see, or no primary key.
    """
    with psycopg.connect(dsn) as connection:
        catalogue = tuple(
            SourceTable(
                table,
                columns(connection, schema, table, excluded=excluded),
                tuple(name for (name,) in connection.execute(_KEY, (schema, table))),
            )
            for table in tables
        )
    if missing := [table.name for table in catalogue if not table.columns]:
        raise CatalogueError(
            f"The source has no table {', '.join(f'{schema}.{table}' for table in missing)}.",
            advice="Write the migration that creates it, or take it out of infra/platform.toml.",
        )
    if keyless := [table.name for table in catalogue if not table.key]:
        raise CatalogueError(
            f"No primary key: {', '.join(f'{schema}.{table}' for table in keyless)}. "
            "Its versions can't be told apart, and its deletes carry nothing.",
            advice="Give it a primary key in a migration.",
        )
    return catalogue


def columns(
    connection: psycopg.Connection, schema: str, table: str, *, excluded: Collection[str] = ()
) -> tuple[SourceColumn, ...]:
    """The captured columns of one table, as this transaction sees it; none when there is no such table."""
    found = (SourceColumn(*row) for row in connection.execute(_COLUMNS, (schema, table)))
    return tuple(column for column in found if f"{schema}.{table}.{column.name}" not in excluded)
