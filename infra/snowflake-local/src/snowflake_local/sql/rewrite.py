"""Rewrites on the syntax tree, before fakesnow's own: what it leaves out or gets wrong."""

import re
from typing import Any, Final

from fakesnow.params import pop_qmark_param
from sqlglot import exp

from snowflake_local import errors

_UNENFORCED: Final = (exp.UniqueColumnConstraint, exp.Reference)
NOT_NULL: Final = "local_not_null"
FORGET_LOADS: Final = "local_forget_loads"
TEMPORARY: Final = "local_temporary"
_DATABASE_NAME: Final = re.compile(r"[A-Za-z0-9_$]+")


def before(expression: exp.Expr, context: dict[str, str]) -> exp.Expr:
    """Apply every rewrite; `context` maps CURRENT_ROLE and the like to the session's values."""
    if isinstance(expression, exp.Create):
        _plain_temporary(expression)
        _unenforced_keys(expression)
    if isinstance(expression, exp.Use) and not expression.args.get("kind") and isinstance(expression.this, exp.Table):
        expression.set("kind", exp.var("SCHEMA" if expression.this.db else "DATABASE"))
    if isinstance(expression, exp.Create) and str(expression.kind).upper() == "DATABASE":
        _plain_name(expression)
    for explode in expression.find_all(exp.Explode):
        _only_plain_flatten(explode)
    if isinstance(expression, exp.TruncateTable):
        expression.args[FORGET_LOADS] = expression.find(exp.Table)

    def value(node: exp.Expr) -> exp.Expr:
        name = node.name.upper() if isinstance(node, exp.Anonymous) else ""
        if isinstance(node, exp.Func) and not name:
            name = node.sql_name()
        if name in context:
            return exp.Literal.string(context[name]) if context[name] else exp.Null()
        return node

    return expression.transform(value, copy=False)


def _plain_name(create: exp.Create) -> None:
    """A database is a file of its name."""
    name = create.this.name
    if not _DATABASE_NAME.fullmatch(name):
        raise errors.unsupported(f"a database named '{name}' (letters, digits, _ and $ only)")


def _only_plain_flatten(explode: exp.Explode) -> None:
    """FLATTEN's other modes would silently give other rows."""
    for option in explode.expressions:
        name = option.this.name.upper() if isinstance(option, exp.Kwarg) else ""
        value = option.expression if isinstance(option, exp.Kwarg) else None
        if name in ("OUTER", "RECURSIVE", "MODE", "PATH") and not (isinstance(value, exp.Boolean) and not value.this):
            raise errors.unsupported(f"FLATTEN with {name}")


def _plain_temporary(create: exp.Create) -> None:
    """DuckDB's temporary tables can't have a database and schema: they become plain tables, which the session drops."""
    table, properties = create.find(exp.Table), create.args.get("properties")
    if create.kind in ("TABLE", "VIEW") and table is not None and table.db and properties is not None:
        kept = [item for item in properties.expressions if not isinstance(item, exp.TemporaryProperty)]
        if len(kept) < len(properties.expressions):
            create.args[TEMPORARY] = True
        properties.set("expressions", kept)


def _unenforced_keys(create: exp.Create) -> None:
    """Snowflake records primary, unique and foreign keys but enforces NOT NULL alone; DuckDB would enforce all."""
    if create.kind != "TABLE" or not isinstance(create.this, exp.Schema):
        return
    parts = create.this.expressions
    primary = {
        identifier.name
        for part in parts
        for key in part.find_all(exp.PrimaryKey)
        for identifier in key.find_all(exp.Identifier)
    }
    kept = [part for part in parts if isinstance(part, (exp.ColumnDef, exp.Identifier))]
    for column in kept:
        if isinstance(column, exp.ColumnDef):
            _keep_not_null(column, column.this.name in primary)
    create.this.set("expressions", kept)


def _keep_not_null(column: exp.ColumnDef, primary: bool) -> None:
    constraints = []
    for constraint in column.args.get("constraints") or []:
        kind = constraint.args.get("kind")
        if isinstance(kind, exp.PrimaryKeyColumnConstraint):
            primary = True
        elif not isinstance(kind, _UNENFORCED):
            constraints.append(constraint)
    if primary and not any(isinstance(item.args.get("kind"), exp.NotNullColumnConstraint) for item in constraints):
        constraints.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    column.set("constraints", constraints)


def identifier(node: exp.Expr, params: Any) -> exp.Expr:
    """`identifier('"DB"."SCHEMA"."X"')`, with a literal or a bound value, is the table of that name."""
    if not isinstance(node, exp.Table):
        return node
    if isinstance(node.this, exp.Anonymous) and str(node.this.this).upper() == "IDENTIFIER":
        argument = node.this.expressions[0]
    elif isinstance(node.this, exp.DynamicIdentifier):
        argument = node.this.this
    else:
        return node
    if isinstance(argument, exp.Placeholder):
        name = str(pop_qmark_param(params, argument.root(), argument))
    else:
        name = getattr(argument, "name", str(argument))
    return exp.to_table(name, dialect="snowflake")


def create_table_as(create: exp.Expr, duck_conn: Any) -> exp.Expr:
    """CREATE TABLE t (a type constraint, …) AS query, as dbt's contracts have it: casts by position, NOT NULL after."""
    is_ctas = isinstance(create, exp.Create) and create.kind == "TABLE" and isinstance(create.this, exp.Schema)
    if not is_ctas or not isinstance(create.expression, (exp.Select, exp.Subquery, exp.SetOperation)):
        return create
    columns = [part for part in create.this.expressions if isinstance(part, exp.ColumnDef)]
    if not columns:
        return create
    query = create.expression.unnest() if isinstance(create.expression, exp.Subquery) else create.expression
    described = duck_conn.execute(f"DESCRIBE {query.sql('duckdb')}").fetchall()
    if len(described) != len(columns):
        raise errors.compilation("Invalid column definition list", errno=2026, sqlstate="42601")
    names = [column.this.name for column in columns]
    alias = exp.TableAlias(
        this=exp.to_identifier("_query"), columns=[exp.to_identifier(name, quoted=True) for name in names]
    )
    selected: list[exp.Expr] = []
    for column, name in zip(columns, names, strict=True):
        value: exp.Expr = exp.column(exp.to_identifier(name, quoted=True))
        if column.args.get("kind"):
            value = exp.Cast(this=value, to=column.args["kind"].copy())
        selected.append(exp.alias_(value, name, quoted=True))
    create.set("expression", exp.Select(expressions=selected).from_(exp.Subquery(this=query, alias=alias)))
    create.args[NOT_NULL] = [column.this.name for column in columns if _is_not_null(column)]
    create.set("this", create.this.this)
    return create


def _is_not_null(column: exp.ColumnDef) -> bool:
    kinds = (constraint.args.get("kind") for constraint in column.args.get("constraints") or [])
    return any(isinstance(kind, exp.NotNullColumnConstraint) for kind in kinds)
