"""Plans on DuckDB, under the rules of its session's transaction."""

from collections import Counter
from dataclasses import replace
from typing import Any

import duckdb

from snowflake_local import errors
from snowflake_local.parse.bulk import Cut
from snowflake_local.parse.names import Namespace
from snowflake_local.rewrite.statement_plan import (
    Counted,
    Dropped,
    Merged,
    Rewritten,
    Rows,
    Scanned,
    StatementPlan,
    Status,
)
from snowflake_local.run import after, rules
from snowflake_local.sessions.session import Session
from snowflake_local.storage import results
from snowflake_local.storage.results import Result


def run(session: Session, rewritten: Rewritten, binds: Any, cut: Cut | None) -> Result:
    """Run a statement's plans; gives the result of the last one.

    Args:
        session: whose statement it is.
        rewritten: its plans.
        binds: the values of its placeholders.
        cut: the rows that were cut out of it.

    Raises:
        snowflake.connector.errors.Error, duckdb.Error: it can't be run; an open transaction has failed then.
    """
    *before, last = rewritten.plans
    for plan in before:
        run_plan(session, plan, binds)
    return run_plan(session, replace(last, sql=cut.restore(last.sql, last.row_items)) if cut else last, binds)


def run_plan(session: Session, plan: StatementPlan, binds: Any = None) -> Result:
    """Run one plan; gives its result.

    Raises:
        snowflake.connector.errors.Error, duckdb.Error: it can't be run; an open transaction has failed then.
    """
    with rules.applied(session, plan.rules):
        result = rules.retrying(session, lambda: _once(session, plan, binds if plan.has_placeholders else None))
        if plan.change is not None:
            after.change(session, plan.change)
        if plan.effects is not None:
            after.effects(session, plan.effects)
    return result


def _once(session: Session, plan: StatementPlan, binds: Any) -> Result:
    if isinstance(plan.change, Dropped) and plan.change.schema is None:
        return _detach(session, plan, plan.change.database)
    if plan.same_width is not None:
        _check_width(session.duck, *plan.same_width)
    if isinstance(plan.reply, Scanned):
        return _scanned(session, plan.reply.query_id)
    try:
        session.duck.execute(plan.sql, binds)
    except duckdb.CatalogException:
        if not plan.missing_is_done:
            raise
    return _result(session.duck, plan)


def _result(duck: duckdb.DuckDBPyConnection, plan: StatementPlan) -> Result:
    match plan.reply:
        case Status(text):
            return results.of_texts(["status"], [[text]])
        case Counted(columns):
            count = duck.fetchall()[0][0]
            return results.of_counts(columns, [count, *[0] * (len(columns) - 1)], count)
        case Merged(columns):
            seen = Counter(action for (action,) in duck.fetchall())
            return results.of_counts(
                [name for _, name in columns], [seen[action] for action, _ in columns], seen.total()
            )
        case Rows() | Scanned():
            return results.fetched(duck)


def _check_width(duck: duckdb.DuckDBPyConnection, query: str, columns: int) -> None:
    if len(duck.execute(f"DESCRIBE {query}").fetchall()) != columns:
        raise errors.compilation("Invalid column definition list", errno=2026, sqlstate="42601")


def _scanned(session: Session, query_id: str) -> Result:
    result = session.warehouse.results.get(query_id)
    if result is None:
        raise errors.compilation(f"Statement {query_id} not found", errno=709, sqlstate="02000")
    return result


def _detach(session: Session, plan: StatementPlan, database: str) -> Result:
    """DuckDB detaches; the file goes afterwards."""
    if session.namespace.database == database:
        session.namespace = Namespace()
        session.duck.execute("USE memory")
    try:
        session.duck.execute(plan.sql)
    except duckdb.Error:
        raise errors.missing_object(database) from None
    return results.of_texts(["status"], [[f"{database} successfully dropped."]])
