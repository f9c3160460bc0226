"""The one way of a statement: parse -> recognise -> rewrite -> run -> describe, each a room of its own.

A statement that is known by its words is a command, and goes from there to its run; any other is parsed and rewritten
into plans for DuckDB, or has the plans that the same text had before.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fakesnow.rowtype import ColumnInfo
from sqlglot import exp

from snowflake_local.describe import columns
from snowflake_local.describe.unrun import described
from snowflake_local.duckdb_errors import translate
from snowflake_local.load.put import Upload
from snowflake_local.parse import bulk
from snowflake_local.parse.text import with_variables, without_comments
from snowflake_local.parse.tree import parse
from snowflake_local.recognise.words import recognise
from snowflake_local.rewrite.rewriting import rewrite
from snowflake_local.rewrite.statement_plan import Rewritten
from snowflake_local.run import commands, statement
from snowflake_local.sessions.session import Session
from snowflake_local.storage.results import Result


@dataclass(frozen=True, slots=True)
class Answer:
    """A result, as clients are told of it.

    Attributes:
        type_id: the number that clients tell a statement's kind by.
        result: its rows.
        columns: what they are.
        placeholders: how many values have to be bound; counted only for a statement that was not run.
    """

    type_id: int
    result: Result
    columns: list[ColumnInfo]
    placeholders: int = 0


def answer(session: Session, text: str, binds: Any = None) -> Answer | Upload:
    """Run one statement; for PUT, where its client has to upload.

    Raises:
        snowflake.connector.errors.Error: always one of these, with a number and a SQL state.
    """
    with session.working(), _translated(session):
        bare = with_variables(without_comments(text), session.variables)
        command = recognise(bare)
        if command is not None:
            outcome = commands.run(session, command, binds)
            return outcome if isinstance(outcome, Upload) else _answer(session, command.type_id, outcome)
        rewritten, cut = _rewritten(session, bare, binds)
        session.uploading = None
        result = statement.run(session, rewritten, rewritten.left(binds), cut)
        return _answer(session, rewritten.type_id, result)


def describe_only(session: Session, text: str) -> Answer:
    """The columns of one statement, which is not run.

    Raises:
        snowflake.connector.errors.Error: it can't be described without running it, or can't be run.
    """
    with session.working(), _translated(session):
        bare = with_variables(without_comments(text), session.variables)
        command = recognise(bare)
        if command is not None:
            return _answer(session, command.type_id, described(session, command))
        tree = parse(bare)
        placeholders = len(list(tree.find_all(exp.Placeholder)))
        tree = tree.transform(lambda node: exp.Null() if isinstance(node, exp.Placeholder) else node, copy=False)
        rewritten = rewrite(tree, session.context)
        result = described(session, rewritten.plans[-1])
        return Answer(
            rewritten.type_id, result, columns.row_types(result.table.column_names, result.types), placeholders
        )


def _rewritten(session: Session, bare: str, binds: Any) -> tuple[Rewritten, bulk.Cut | None]:
    """The plans of a statement: those that its text had before in a like context, or new ones."""
    cut = bulk.cut(bare)
    text = cut.statement if cut else bare
    context, upper = session.context, text.upper()
    like = (context.namespace, context.values if "CURRENT_" in upper else ())
    takes_names = bool(binds) and "IDENTIFIER" in upper  # bound ones: each time others
    known = None if takes_names else session.warehouse.plans.get(text, like)
    if known is None:
        known = rewrite(parse(text), context, binds, is_cut=cut is not None)
        if not takes_names:
            session.warehouse.plans.keep(text, like, known)
    return known, cut


def _answer(session: Session, type_id: int, result: Result) -> Answer:
    session.warehouse.results.keep(result)
    return Answer(type_id, result, columns.row_types(result.table.column_names, result.types))


@contextlib.contextmanager
def _translated(session: Session) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise session.running.why(translate(error)) from error
