"""DESCRIBE TABLE, which dbt asks 30 times in a build: of one table, where upstream looks through every column."""

from string import Template
from typing import Final

from fakesnow import transforms
from sqlglot import exp

from snowflake_local.parse.names import INFORMATION_SCHEMA, Namespace

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
FROM (SELECT *, row_number() OVER () AS position FROM (DESCRIBE ${quoted})) AS described
LEFT JOIN _fs_global._fs_information_schema._fs_columns_ext AS ext
    ON ext_table_catalog = ${catalog} AND ext_table_schema = ${schema} AND ext_table_name = ${table}
    AND ext_column_name = described.column_name
ORDER BY position
""")


def sql(describe: exp.Describe, namespace: Namespace) -> str | None:
    """The query for DuckDB, or None when it is no table or view."""
    table, kind = describe.find(exp.Table), describe.args.get("kind")
    if table is None or not isinstance(kind, str) or kind.upper() not in ("TABLE", "VIEW"):
        return None
    if (table.db or namespace.shown_schema or "").upper() in (INFORMATION_SCHEMA, "INFORMATION_SCHEMA"):
        return transforms.describe_table(describe, namespace.database, INFORMATION_SCHEMA).sql("duckdb")
    name = namespace.whole([part for part in (table.catalog, table.db, table.name) if part])
    literals = (exp.Literal.string(part).sql("duckdb") for part in (name.database, name.schema, name.name))
    return _TABLE.substitute(dict(zip(("catalog", "schema", "table"), literals, strict=True)), quoted=name.quoted)
