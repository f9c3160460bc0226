"""A plan: one statement of DuckDB's, what its client is answered, and what has to hold before, while and after it runs.

Plans are values: they hang on a statement's text and on its context alone, and are kept for the next such text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from snowflake_local.parse.names import Namespace, ObjectName


@dataclass(frozen=True, slots=True)
class Context:
    """What a plan hangs on beside the text: the current names, what CURRENT_ROLE and the like give, the folder."""

    namespace: Namespace
    values: tuple[tuple[str, str], ...]
    folder: Path


# -- what the client is answered ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that DuckDB gives."""


@dataclass(frozen=True, slots=True)
class Status:
    """One row that says that it was done."""

    text: str


@dataclass(frozen=True, slots=True)
class Counted:
    """One row: the number that DuckDB gives, in the first of these columns, and 0 in the others."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """One row that counts the actions of a MERGE: (DuckDB's word for an action, the column)."""

    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """The result of an earlier statement; DuckDB is not asked."""

    query_id: str


Reply = Rows | Status | Counted | Merged | Scanned

# -- what changes in the session and on disk ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UseDatabase:
    """USE DATABASE."""

    database: str


@dataclass(frozen=True, slots=True)
class UseSchema:
    """USE SCHEMA; without a database: the current one."""

    database: str | None
    schema: str


@dataclass(frozen=True, slots=True)
class Autocommit:
    """ALTER SESSION SET AUTOCOMMIT."""

    on: bool


@dataclass(frozen=True, slots=True)
class CreatedDatabase:
    """CREATE DATABASE: it gets its information schema."""

    database: str


@dataclass(frozen=True, slots=True)
class CreatedSchema:
    """CREATE SCHEMA: it becomes the current one."""

    database: str
    schema: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """DROP of a database, or with `schema` of a schema: its files go as well."""

    database: str
    schema: str | None = None


Change = UseDatabase | UseSchema | Autocommit | CreatedDatabase | CreatedSchema | Dropped


@dataclass(frozen=True, slots=True)
class TableEffects:
    """What is to be done after a statement on `table`.

    Attributes:
        table: its whole name.
        not_null: statements that add NOT NULL to a new table's columns.
        undo: takes the new table away again, when it breaks its own NOT NULL.
        forgets_loads: what COPY has loaded into it is of no account any more.
        comment: the table's, to be kept.
        text_lengths: of its columns of text, to be kept.
        temporary: "TABLE" or "VIEW": it goes with the session.
    """

    table: ObjectName
    not_null: tuple[str, ...] = ()
    undo: str = ""
    forgets_loads: bool = False
    comment: str | None = None
    text_lengths: tuple[tuple[str, int], ...] = ()
    temporary: str | None = None


# -- the plan ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rules:
    """How a statement behaves in a transaction.

    Attributes:
        is_ddl: commits what is open, before it.
        writes: may change something; a transaction that has only read is started again before its next statement.
        begins: starts a transaction when autocommit is off.
        locks: the table that no other transaction may change until this one ends.
    """

    is_ddl: bool = False
    writes: bool = False
    begins: bool = False
    locks: ObjectName | None = None


@dataclass(frozen=True, slots=True)
class StatementPlan:
    """One statement of DuckDB's.

    Attributes:
        sql: what DuckDB runs.
        reply: what the client is answered.
        rules: how it behaves in a transaction.
        has_placeholders: it takes bound values.
        same_width: (a query, how many columns it has to have), checked before.
        missing_is_done: a table that is not there is no error.
        change: of the session or on disk, afterwards.
        effects: on a table, afterwards.
        row_items: for a statement whose rows were cut out, the SQL of the items of its one row.
    """

    sql: str
    reply: Reply
    rules: Rules = field(default=Rules())
    has_placeholders: bool = False
    same_width: tuple[str, int] | None = None
    missing_is_done: bool = False
    change: Change | None = None
    effects: TableEffects | None = None
    row_items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The plans of one statement, mostly one; the client is answered the last one's result.

    Attributes:
        type_id: the number that clients tell a statement's kind by.
        plans: in the order in which they run.
        taken: positions of bound values that names have taken, each as it was when it was taken.
        is_lasting: the same text in the same context will have the same plans.
    """

    type_id: int
    plans: Sequence[StatementPlan]
    taken: tuple[int, ...] = ()
    is_lasting: bool = False

    def left(self, binds: object) -> object:
        """The bound values without those that names have taken."""
        if not self.taken or not isinstance(binds, (list, tuple)):
            return binds
        left = list(cast("Sequence[object]", binds))
        for position in self.taken:
            left.pop(position)
        return left
