"""Patches of fakesnow and sqlglot: our functions replace theirs; `snowflake_local.compat` has checked the versions."""

import warnings

from fakesnow import cursor as fakesnow_cursor
from fakesnow import info_schema, transforms
from sqlglot import exp

from snowflake_local.load.copy import copy_into
from snowflake_local.sql import parsing, rewrite
from snowflake_local.store import database_sql


def apply() -> None:
    """Apply every patch; once, before the first session."""
    info_schema.per_db_creation_sql = database_sql
    fakesnow_cursor.copy_into = copy_into  # pyright: ignore[reportPrivateImportUsage]
    transforms.identifier = rewrite.identifier
    transforms.create_table_as = _unchanged_as  # it asks DuckDB: `Cursor` does it, for trees that were kept too
    fakesnow_cursor.parse_one = parsing.parse_one  # pyright: ignore[reportPrivateImportUsage]
    transforms.numeric_agg_implicit_cast = _unchanged  # SUM of a NUMBER stays a NUMBER
    transforms.merge = _whole  # DuckDB has MERGE itself
    # DuckDB 2.0 advises another call for Arrow results, which upstream does not make yet.
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)


def _unchanged(expression: exp.Expr) -> exp.Expr:
    return expression


def _unchanged_as(expression: exp.Expr, _duck: object) -> exp.Expr:
    return expression


def _whole(expression: exp.Expr) -> list[exp.Expr]:
    return [expression]
