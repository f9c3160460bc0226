"""DESCRIBE TABLE, which dbt asks 30 times in a build: of one table, where upstream looks through every column."""

from string import Template
from typing import Final

from sqlglot import exp

from snowflake_local.session import Session

_TABLE: Final = Template("""
SELECT
    described.column_name AS "name",
    CASE WHEN starts_with(column_type, 'DECIMAL') THEN replace(column_type, 'DECIMAL', 'NUMBER')
         WHEN column_type = 'BIGINT' THEN 'NUMBER(38,0)'
         WHEN column_type = 'VARCHAR' THEN 'VARCHAR(' || coalesce(ext_character_maximum_length, 16777216) || ')'
         WHEN column_type = 'TIMESTAMP' THEN 'TIMESTAMP_NTZ(9)'
         WHEN column_type = 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP_TZ(9)'
         WHEN column_type = 'TIME' THEN 'TIME(9)'
         WHEN column_type = 'BLOB' THEN 'BINARY(8388608)'
         WHEN column_type = 'DOUBLE' THEN 'FLOAT'
         WHEN column_type = 'JSON' THEN 'VARIANT'
         ELSE column_type END AS "type",
    'COLUMN' AS "kind",
    CASE WHEN "null" = 'YES' THEN 'Y' ELSE 'N' END AS "null?",
    "default"::VARCHAR AS "default",
    'N' AS "primary key",
    'N' AS "unique key",
    NULL::VARCHAR AS "check",
    NULL::VARCHAR AS "expression",
    NULL::VARCHAR AS "comment",
    NULL::VARCHAR AS "policy name",
    NULL::JSON AS "privacy domain"
FROM (SELECT *, row_number() OVER () AS position FROM (DESCRIBE "${catalog}"."${schema}"."${table}")) AS described
LEFT JOIN _fs_global._fs_information_schema._fs_columns_ext AS ext
    ON ext_table_catalog = '${catalog}' AND ext_table_schema = '${schema}' AND ext_table_name = '${table}'
    AND ext_column_name = described.column_name
ORDER BY position
""")
_INFORMATION_SCHEMA: Final = "_FS_INFORMATION_SCHEMA"


def sql(describe: exp.Describe, session: Session) -> str | None:
    """The query for DuckDB, or None when it is no table or view, or one of the information schema."""
    table, kind = describe.find(exp.Table), describe.args.get("kind")
    if table is None or not isinstance(kind, str) or kind.upper() not in ("TABLE", "VIEW"):
        return None
    schema = table.db or session.schema or ""
    if schema.upper() in (_INFORMATION_SCHEMA, "INFORMATION_SCHEMA"):
        return None
    names = {"catalog": table.catalog or session.database or "", "schema": schema, "table": table.name}
    if any(character in name for name in names.values() for character in "'\""):
        return None
    return _TABLE.substitute(names)
