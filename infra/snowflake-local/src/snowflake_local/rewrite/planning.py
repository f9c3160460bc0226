"""The plan of a rewritten tree: what its client is answered, how it behaves in a transaction, what comes after."""

from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from snowflake_local import errors
from snowflake_local.parse.names import Namespace, ObjectName
from snowflake_local.recognise.commands import SUCCESS
from snowflake_local.rewrite import describe_table, merge
from snowflake_local.rewrite.create import Contract
from snowflake_local.rewrite.statement_plan import (
    Autocommit,
    Change,
    Counted,
    CreatedDatabase,
    CreatedSchema,
    Dropped,
    Merged,
    Reply,
    Rows,
    Rules,
    Scanned,
    StatementPlan,
    Status,
    TableEffects,
    UseDatabase,
    UseSchema,
)
from snowflake_local.rewrite.upstream import Marks

_LOCKING: Final = (exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
_BEGINNING: Final = (exp.Insert, exp.Update, exp.Delete, exp.Merge)
_DDL: Final = (exp.Create, exp.Drop, exp.Alter)
_READING: Final = (exp.Query, exp.Describe, exp.Show)
_CREATED: Final = ("SCHEMA", "SEQUENCE", "TABLE", "VIEW")


def plan(
    tree: exp.Expr,
    marks: Marks,
    contract: Contract | None,
    temporary: str | None,
    namespace: Namespace,
    row_items: tuple[str, ...],
) -> StatementPlan:
    """Make the plan; the tree is not needed afterwards.

    Raises:
        snowflake.connector.errors.ProgrammingError: a statement that DuckDB has no like of.
    """
    change = _change(tree, marks, namespace)
    missing_is_done = isinstance(tree, exp.TruncateTable) and bool(tree.args.get("exists"))
    if missing_is_done:
        tree.set("exists", None)
    return StatementPlan(
        sql=_sql(tree, marks, change, namespace),
        reply=_reply(tree, marks, change),
        rules=Rules(
            is_ddl=isinstance(tree, _DDL) or isinstance(change, CreatedDatabase),
            writes=not isinstance(tree, _READING),
            begins=isinstance(tree, _BEGINNING),
            locks=_table(tree, namespace) if isinstance(tree, _LOCKING) else None,
        ),
        has_placeholders=tree.find(exp.Placeholder) is not None,
        same_width=(contract.query, contract.columns) if contract else None,
        missing_is_done=missing_is_done,
        change=change,
        effects=_effects(tree, marks, contract, temporary, namespace),
        row_items=row_items,
    )


def _sql(tree: exp.Expr, marks: Marks, change: Change | None, namespace: Namespace) -> str:
    if isinstance(change, Dropped) and change.schema is None:
        return f'DETACH DATABASE {"IF EXISTS " if tree.args.get("exists") else ""}"{change.database}"'
    if isinstance(tree, exp.Merge):
        return merge.returning(tree)
    if isinstance(tree, exp.Describe) and (described := describe_table.sql(tree, namespace)):
        return described
    if isinstance(tree, exp.Command) and change is None:
        raise errors.unsupported(f"{str(tree.this).upper()} {str(tree.args.get('expression') or '').strip()[:60]}")
    sql = tree.sql(dialect="duckdb")
    if not sql or isinstance(tree, (exp.Transaction, exp.Commit, exp.Rollback, exp.Put, exp.Copy)):
        raise errors.unsupported(tree.sql(dialect="snowflake")[:60])
    return f"SELECT setseed({marks.seed}); {sql}" if marks.seed and tree.find(exp.Select) else sql


def _change(tree: exp.Expr, marks: Marks, namespace: Namespace) -> Change | None:
    if marks.set_schema is not None:
        return UseSchema(marks.set_database, marks.set_schema)
    if marks.set_database is not None:
        return UseDatabase(marks.set_database)
    if marks.set_autocommit is not None:
        return Autocommit(marks.set_autocommit)
    if marks.created_database is not None:
        return CreatedDatabase(marks.created_database)
    if not isinstance(tree, (exp.Create, exp.Drop)) or (table := tree.find(exp.Table)) is None:
        return None
    kind = str(tree.kind).upper()
    if kind == "SCHEMA":
        database, schema = table.catalog or namespace.database or "", table.db
        return CreatedSchema(database, schema) if isinstance(tree, exp.Create) else Dropped(database, schema)
    if kind == "DATABASE" and isinstance(tree, exp.Drop):
        return Dropped(table.name or table.db)
    return None


def _reply(tree: exp.Expr, marks: Marks, change: Change | None) -> Reply:
    if marks.scanned is not None:
        return _scanned(tree, marks.scanned)
    if isinstance(change, CreatedDatabase):
        return Status(f"Database {change.database} successfully created.")
    if isinstance(change, (UseDatabase, UseSchema, Autocommit)):
        return Status(SUCCESS)
    kind, name = str(tree.args.get("kind")).upper(), tree.find(exp.Identifier, bfs=False)
    match tree:
        case exp.Insert():
            return Counted(("number of rows inserted",))
        case exp.Update():
            return Counted(("number of rows updated", "number of multi-joined rows updated"))
        case exp.Delete():
            return Counted(("number of rows deleted",))
        case exp.Merge():
            return Merged(merge.columns(tree))
        case exp.TruncateTable() | exp.Alter():
            return Status(SUCCESS)
        case exp.Create() if kind in _CREATED and name is not None:
            return Status(f"{kind.capitalize()} {name.name} successfully created.")
        case exp.Drop() if name is not None:
            return Status(f"{name.name} successfully dropped.")
        case _:
            return Rows()


def _scanned(tree: exp.Expr, query_id: str) -> Scanned:
    """The whole of an earlier result: upstream would leave out what else the query says."""
    others = [name for name, value in tree.args.items() if value and name not in ("from_", "expressions", "kind")]
    if others or [type(item) for item in tree.expressions] != [exp.Star]:
        raise errors.unsupported("RESULT_SCAN in anything but SELECT * FROM TABLE(RESULT_SCAN('…'))")
    return Scanned(query_id)


def _table(tree: exp.Expr, namespace: Namespace) -> ObjectName | None:
    table = tree.find(exp.Table)
    return _whole(table, namespace) if table is not None else None


def _whole(table: exp.Table, namespace: Namespace) -> ObjectName:
    return ObjectName(table.catalog or namespace.database or "", table.db or namespace.schema or "", table.name)


def _effects(
    tree: exp.Expr, marks: Marks, contract: Contract | None, temporary: str | None, namespace: Namespace
) -> TableEffects | None:
    is_new = isinstance(tree, exp.Create) and tree.kind == "TABLE" and not tree.args.get("exists")
    table = marks.table_comment[0] if marks.table_comment else tree.find(exp.Table)
    comment = _comment(marks)
    not_null: Sequence[str] = contract.not_null if contract else ()
    forgets_loads = is_new or isinstance(tree, exp.TruncateTable)
    if table is None or not (forgets_loads or not_null or comment is not None or marks.text_lengths or temporary):
        return None
    written = table.sql("duckdb")
    return TableEffects(
        table=_whole(table, namespace),
        not_null=tuple(f'ALTER TABLE {written} ALTER COLUMN "{column}" SET NOT NULL' for column in not_null),
        undo=f"DROP TABLE IF EXISTS {written}",
        forgets_loads=forgets_loads,
        comment=comment,
        text_lengths=marks.text_lengths,
        temporary=temporary,
    )


def _comment(marks: Marks) -> str | None:
    comment = marks.table_comment[1] if marks.table_comment else None
    text = getattr(comment, "this", comment)
    return None if text is None else str(text)
