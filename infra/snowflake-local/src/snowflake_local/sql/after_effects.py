"""After-statement effects: NOT NULL, comments, lengths of text, and the files that COPY remembers."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import duckdb
from fakesnow import info_schema
from sqlglot import exp

from snowflake_local.session import Session
from snowflake_local.sql import rewrite
from snowflake_local.store import LOADED_FILES


@dataclass(frozen=True, slots=True)
class AfterEffects:
    """The effects to apply after a statement, taken off the tree so that nobody applies them twice."""

    table: exp.Table | None
    not_null: list[str]
    forgets_loads: bool
    comment: str | None
    text_lengths: Any
    temporary: str | None
    dropped: tuple[str, ...] | None

    @classmethod
    def of(cls, transformed: exp.Expr, session: Session) -> "AfterEffects":
        """Read and take off what is to be done after `transformed`."""
        is_create = isinstance(transformed, exp.Create)
        new_table = is_create and transformed.kind == "TABLE" and not transformed.args.get("exists")
        comment = transformed.args.pop("table_comment", None)
        text = getattr(comment[1], "this", comment[1]) if comment else None
        is_temporary = bool(transformed.args.pop(rewrite.TEMPORARY, None))
        return cls(
            table=comment[0] if comment else transformed.find(exp.Table),
            not_null=transformed.args.pop(rewrite.NOT_NULL, None) or [],
            forgets_loads=bool(transformed.args.pop(rewrite.FORGET_LOADS, None)) or new_table,
            comment=str(text) if text is not None else None,
            text_lengths=transformed.args.pop("text_lengths", None),
            temporary=transformed.kind if is_create and is_temporary else None,
            dropped=_dropped(transformed, session),
        )

    def apply(self, session: Session, duck: duckdb.DuckDBPyConnection) -> None:
        """Apply the effects. A new table that breaks its own NOT NULL is dropped again, and the error raised."""
        if self.dropped:
            session.warehouse.forget(*self.dropped)
        if self.table is None:
            return
        table = self.table
        qualified_name = (table.catalog or session.database or "", table.db or session._schema or "", table.name)
        if self.not_null:
            _set_not_null(duck, table, self.not_null)
        if self.temporary:
            session.temporary.add((self.temporary, ".".join(f'"{part}"' for part in qualified_name)))
        if self.forgets_loads:
            where = "where schema_name = ? and table_name = ?"
            duck.execute(f'delete from "{qualified_name[0]}".{LOADED_FILES} {where}', list(qualified_name[1:]))
        with closing(duck.cursor()) as metadata:  # another database: not in the caller's transaction
            if self.comment is not None:
                metadata.execute(info_schema.insert_table_comment_sql(*qualified_name, self.comment.replace("'", "''")))
            if self.text_lengths:
                metadata.execute(info_schema.insert_text_lengths_sql(*qualified_name, self.text_lengths))


def _set_not_null(duck: duckdb.DuckDBPyConnection, table: exp.Table, columns: list[str]) -> None:
    name = table.sql("duckdb")
    try:
        for column in columns:
            duck.execute(f'ALTER TABLE {name} ALTER COLUMN "{column}" SET NOT NULL')
    except duckdb.Error:
        duck.execute(f"DROP TABLE IF EXISTS {name}")
        raise


def _dropped(transformed: exp.Expr, session: Session) -> tuple[str, ...] | None:
    """The database, or database and schema, that a DROP takes away."""
    if not isinstance(transformed, exp.Drop) or str(transformed.kind).upper() not in ("DATABASE", "SCHEMA"):
        return None
    target = transformed.find(exp.Table)
    if target is None:
        return None
    if str(transformed.kind).upper() == "DATABASE":
        return (target.name or target.db,)
    return (target.catalog or session.database or "", target.db)
