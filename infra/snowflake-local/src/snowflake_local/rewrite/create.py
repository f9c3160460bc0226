"""CREATE TABLE as DuckDB has it: keys, temporary tables, and dbt's contracts on CREATE TABLE … AS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

_UNENFORCED: Final = (exp.UniqueColumnConstraint, exp.Reference)


def without_temporary(create: exp.Create) -> str | None:
    """DuckDB's temporary tables can't have a database and schema: such a one becomes a plain table.

    Gives its kind, if it is one that the session has to drop.
    """
    table, properties = create.find(exp.Table), create.args.get("properties")
    kind = str(create.kind)
    if kind not in ("TABLE", "VIEW") or table is None or not table.db or not isinstance(properties, exp.Properties):
        return None
    kept = [item for item in properties.expressions if not isinstance(item, exp.TemporaryProperty)]
    is_temporary = len(kept) < len(properties.expressions)
    properties.set("expressions", kept)
    return kind if is_temporary else None


def without_keys(create: exp.Create) -> None:
    """Snowflake records primary, unique and foreign keys but enforces NOT NULL alone; DuckDB would enforce all."""
    if create.kind != "TABLE" or not isinstance(create.this, exp.Schema):
        return
    schema = create.this
    primary = {
        identifier.name
        for part in schema.expressions
        for key in part.find_all(exp.PrimaryKey)
        for identifier in key.find_all(exp.Identifier)
    }
    kept: list[exp.Expr] = [part for part in schema.expressions if isinstance(part, (exp.ColumnDef, exp.Identifier))]
    for column in kept:
        if isinstance(column, exp.ColumnDef):
            _keep_not_null(column, column.this.name in primary)
    schema.set("expressions", kept)


def _constraints(column: exp.ColumnDef) -> list[exp.Expr]:
    return column.args.get("constraints") or []


def _keep_not_null(column: exp.ColumnDef, primary: bool) -> None:
    kept: list[exp.Expr] = []
    for constraint in _constraints(column):
        kind = constraint.args.get("kind")
        if isinstance(kind, exp.PrimaryKeyColumnConstraint):
            primary = True
        elif not isinstance(kind, _UNENFORCED):
            kept.append(constraint)
    if primary and not any(isinstance(item.args.get("kind"), exp.NotNullColumnConstraint) for item in kept):
        kept.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    column.set("constraints", kept)


@dataclass(frozen=True, slots=True)
class Contract:
    """The columns that CREATE TABLE … AS promises: what the query must have, and what comes after."""

    query: str
    columns: int
    not_null: Sequence[str]


def apply_contract(create: exp.Expr) -> Contract | None:
    """CREATE TABLE t (a type constraint, …) AS query, as dbt's contracts have it: casts by position, NOT NULL after.

    Changes the tree; None when there is no such contract.
    """
    is_ctas = isinstance(create, exp.Create) and create.kind == "TABLE" and isinstance(create.this, exp.Schema)
    if not is_ctas or not isinstance(create.expression, (exp.Select, exp.Subquery, exp.SetOperation)):
        return None
    columns = [part for part in create.this.expressions if isinstance(part, exp.ColumnDef)]
    if not columns:
        return None
    query = create.expression.unnest() if isinstance(create.expression, exp.Subquery) else create.expression
    names = [str(column.this.name) for column in columns]
    selected: list[exp.Expr] = []
    for column, name in zip(columns, names, strict=True):
        value: exp.Expr = exp.column(exp.to_identifier(name, quoted=True))
        if column.args.get("kind"):
            value = exp.Cast(this=value, to=column.args["kind"].copy())
        selected.append(exp.alias_(value, name, quoted=True))
    contract = Contract(
        query=query.sql("duckdb"),
        columns=len(columns),
        not_null=[name for column, name in zip(columns, names, strict=True) if _is_not_null(column)],
    )
    alias = exp.TableAlias(
        this=exp.to_identifier("_query"), columns=[exp.to_identifier(name, quoted=True) for name in names]
    )
    create.set("expression", exp.Select(expressions=selected).from_(exp.Subquery(this=query, alias=alias)))
    create.set("this", create.this.this)
    return contract


def _is_not_null(column: exp.ColumnDef) -> bool:
    kinds = (constraint.args.get("kind") for constraint in _constraints(column))
    return any(isinstance(kind, exp.NotNullColumnConstraint) for kind in kinds)
