"""A tree of Snowflake's into plans: our own rewrites, fakesnow's, ours again on what it leaves, then the plan."""

from fakesnow import checks, statement_type
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.parse import bulk
from snowflake_local.parse.names import Namespace
from snowflake_local.rewrite import create, merge, own, planning, show, upstream
from snowflake_local.rewrite.statement_plan import Context, Rewritten, StatementPlan

_LASTING = (
    exp.Query,
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.TruncateTable,
    exp.Describe,
    exp.Show,
)
"""Kinds whose texts come again; the others are rare, or of their moment."""


def rewrite(tree: exp.Expr, context: Context, binds: object = None, *, is_cut: bool = False) -> Rewritten:
    """The plans of a statement.

    Args:
        tree: is used up.
        context: what names and CURRENT_ROLE and the like mean.
        binds: bound values; `identifier(?)` takes its own.
        is_cut: an INSERT whose rows were cut out.

    Raises:
        snowflake.connector.errors.ProgrammingError: what can't be done here, by its name.
        NotImplementedError: the same, from fakesnow.
    """
    type_id = statement_type.statement_type_id(tree)
    is_lasting = isinstance(tree, _LASTING)
    tree = own.with_kind(tree)
    _check_names(tree, context.namespace)
    tree, taken = own.with_names(tree, binds)
    parts = upstream.split(tree)
    plans = tuple(_plan(part, context, is_cut) for part in parts)
    return Rewritten(type_id, plans, taken, is_lasting and len(parts) == 1)


def _plan(tree: exp.Expr, context: Context, is_cut: bool) -> StatementPlan:
    own.refuse_ignored(tree)
    temporary: str | None = None
    if isinstance(tree, exp.Create):
        temporary = create.without_temporary(tree)
        create.without_keys(tree)
    narrowing = show.narrowing(tree) if isinstance(tree, exp.Show) else None
    tree = own.with_values(tree, dict(context.values))
    tree = upstream.rewrite(tree, context.namespace, context.folder)
    if narrowing is not None:
        tree = narrowing.of(tree)
    marks = upstream.take_marks(tree)
    if isinstance(tree, exp.Merge):
        merge.unqualify_targets(tree)
    contract = create.apply_contract(tree)
    row_items = _cut_rows(tree) if is_cut else ()
    return planning.plan(tree, marks, contract, temporary, context.namespace, row_items)


def _check_names(tree: exp.Expr, namespace: Namespace) -> None:
    no_database, no_schema = checks.is_unqualified_table_expression(tree)
    if no_database and not namespace.database_set:
        raise errors.no_current("database")
    if no_schema and not namespace.schema_set:
        raise errors.no_current("schema")


def _cut_rows(insert: exp.Expr) -> tuple[str, ...]:
    """Put `bulk.ROWS` in the place of the one row that is there; gives the SQL of its items."""
    values = insert.expression
    items = tuple(item.sql("duckdb") for item in values.expressions[0].expressions)
    values.set("expressions", [exp.var(bulk.ROWS)])
    return items
