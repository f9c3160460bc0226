"""MERGE by DuckDB's own MERGE, in one statement, with Snowflake's counts."""

from collections import Counter
from typing import Final

import sqlglot
from fakesnow.transforms.merge import operations
from sqlglot import exp

_ACTIONS: Final = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}


def unqualify_targets(merge: exp.Merge) -> exp.Merge:
    """DuckDB wants bare column names on the left of SET and in the INSERT list."""
    whens = merge.args["whens"]
    for when in getattr(whens, "expressions", whens):
        then = when.args.get("then")
        if isinstance(then, exp.Update):
            for assignment in then.expressions:
                if isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column):
                    assignment.set("this", exp.column(assignment.this.this.copy()))
        elif isinstance(then, exp.Insert) and then.this is not None:
            for column in then.this.expressions:
                if isinstance(column, exp.Column):
                    column.set("table", None)
    return merge


def returning(merge: exp.Merge) -> str:
    """The statement, answering with one action a row."""
    return merge.sql(dialect="duckdb") + " RETURNING merge_action"


def counts(merge: exp.Merge, actions: list[str]) -> exp.Expr:
    """The one row that Snowflake answers with: a count for each kind of clause that the statement has."""
    seen = Counter(actions)
    present = [operation for operation, indices in operations(merge).items() if indices]
    columns = ", ".join(f'{seen[_ACTIONS[operation]]} as "number of rows {operation}"' for operation in present)
    return sqlglot.parse_one(f"select {columns}", read="duckdb")
