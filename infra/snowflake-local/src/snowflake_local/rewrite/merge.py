"""MERGE by DuckDB's own MERGE, in one statement, with Snowflake's counts."""

from typing import Final

from fakesnow.transforms.merge import operations
from sqlglot import exp

_ACTIONS: Final = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}


def unqualify_targets(merge: exp.Merge) -> None:
    """DuckDB wants bare column names on the left of SET and in the INSERT list."""
    whens = merge.args["whens"]
    for when in getattr(whens, "expressions", whens):
        then = when.args.get("then")
        if isinstance(then, exp.Update):
            for assignment in then.expressions:
                if isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column):
                    assignment.set("this", exp.column(assignment.this.this.copy()))
        elif isinstance(then, exp.Insert) and isinstance(then.this, exp.Expr):
            for column in then.this.expressions:
                if isinstance(column, exp.Column):
                    column.set("table", None)


def returning(merge: exp.Merge) -> str:
    """The statement, answering with one action a row."""
    return merge.sql(dialect="duckdb") + " RETURNING merge_action"


def columns(merge: exp.Merge) -> tuple[tuple[str, str], ...]:
    """What Snowflake counts: an action and its column, for each kind of clause that the statement has."""
    present = [operation for operation, indices in operations(merge).items() if indices]
    return tuple((_ACTIONS[operation], f"number of rows {operation}") for operation in present)
