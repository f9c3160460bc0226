"""One statement: recognised, rewritten, run under its transaction's rules, its errors translated."""

import time
from contextlib import closing
from typing import Any, Final

import duckdb
import pyarrow as pa
import sqlglot
from fakesnow import info_schema
from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector import errors as sf
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.load import listing
from snowflake_local.session import Session
from snowflake_local.sql import commands, merge, rewrite
from snowflake_local.store import LOADED_FILES

_CONFLICT_RETRIES: Final = 8
_DDL: Final = (exp.Create, exp.Drop, exp.Alter)
_SUCCESS: Final = commands.Answer(["status"], [["Statement executed successfully."]])


class Cursor(FakeSnowflakeCursor):
    """fakesnow's cursor with Snowflake's rules for transactions, and with its gaps filled."""

    _conn: Session

    def execute(self, command: str, params: Any = None, *args: Any, **kwargs: Any) -> "Cursor":
        """Run one statement.

        Raises:
            snowflake.connector.errors.Error: always one of these, with a number and a SQL state.
        """
        bare = commands.without_comments(command)
        with self._conn.working():
            try:
                known = commands.recognise(bare)
                if known is not None:
                    self._run(known)
                else:
                    super().execute(bare, params, *args, **kwargs)
            except Exception as error:
                raise errors.translate(error) from error
        return self

    # -- commands ----------------------------------------------------------------------------------------------

    def _run(self, command: commands.Command) -> None:
        match command:
            case commands.Answer():
                self._answer(command)
            case commands.StageCommand():
                self._answer(listing.run(self._conn, self._duck_conn, command))
            case commands.DropStage():
                self._answer(listing.drop(self._conn, self._duck_conn, command))
            case commands.UseContext(kind, name):
                setattr(self._conn, "role" if kind == "ROLE" else "virtual_warehouse", name)
                self._answer(_SUCCESS)
            case commands.SetLockTimeout(seconds):
                self._conn.lock_timeout_seconds = seconds
                self._answer(_SUCCESS)
            case commands.Refused(feature):
                raise errors.unsupported(feature)
            case commands.Begin():
                super().execute("BEGIN")

    def _answer(self, answer: commands.Answer) -> None:
        if answer.rows:
            rows = [tuple(None if value is None else str(value) for value in row) for row in answer.rows]
            columns = [exp.to_identifier(name, quoted=True) for name in answer.columns]
            source = exp.Values(
                expressions=[exp.convert(row) for row in rows],
                alias=exp.TableAlias(this=exp.to_identifier("answer"), columns=columns),
            )
            expression: exp.Expr = exp.select("*").from_(source)
        else:
            nulls = ", ".join(f'null::varchar as "{name}"' for name in answer.columns)
            expression = sqlglot.parse_one(f"select {nulls} where false", read="duckdb")
        super()._execute(expression, None)

    # -- statements --------------------------------------------------------------------------------------------

    def _transform(self, expression: exp.Expr, params: Any) -> exp.Expr:
        context = {
            "CURRENT_ROLE": self._conn.role,
            "CURRENT_WAREHOUSE": self._conn.virtual_warehouse,
            "CURRENT_USER": self._conn.user,
            "CURRENT_ACCOUNT": "LOCAL",
            "CURRENT_REGION": "LOCAL",
            "CURRENT_SESSION": str(id(self._conn)),
        }
        transformed = super()._transform(rewrite.before(expression, context), params)
        if isinstance(transformed, exp.Merge):
            return merge.unqualify_targets(transformed)
        if isinstance(transformed, exp.TruncateTable) and transformed.args.get("exists"):
            transformed.set("exists", None)
            transformed.args["local_if_exists"] = True
        return transformed

    def _execute(self, transformed: exp.Expr, params: Any = None) -> None:
        session = self._conn
        if isinstance(transformed, exp.Transaction):
            session.begin()
            return self._answer(_SUCCESS)
        if isinstance(transformed, exp.Rollback):
            session.roll_back()
            session.transaction.failed = False
            return self._answer(_SUCCESS)
        if isinstance(transformed, exp.Commit):
            return self._commit()
        if session.transaction.failed and session.transaction.active:
            raise errors.aborted()
        if isinstance(transformed, _DDL) and session.in_transaction:
            session.commit_open()  # Snowflake commits the open transaction before DDL
        return self._run_statement(transformed, params)

    def _commit(self) -> None:
        session = self._conn
        if session.transaction.failed:
            session.roll_back()
            session.transaction.failed = False
            raise errors.aborted()
        session.commit_open()
        self._answer(_SUCCESS)

    def _run_statement(self, transformed: exp.Expr, params: Any) -> None:
        session = self._conn
        after = _After.of(transformed)
        try:
            target = (
                transformed.find(exp.Table) if isinstance(transformed, (exp.Update, exp.Delete, exp.Merge)) else None
            )
            if target is not None:
                session.lock(target)
            self._retrying(transformed, params)
            self._finish(transformed, after)
        except Exception:
            if session.in_transaction:
                session.roll_back()
                session.transaction.active = session.transaction.failed = True
            raise
        finally:
            if not session.in_transaction:
                session.locks.release(session)

    def _retrying(self, transformed: exp.Expr, params: Any) -> None:
        """Two sessions that change one catalogue conflict in DuckDB, not in Snowflake: outside transactions, go on."""
        for attempt in range(_CONFLICT_RETRIES):
            try:
                return self._once(transformed, params)
            except duckdb.TransactionException as error:
                last = attempt == _CONFLICT_RETRIES - 1
                if "onflict" not in str(error) or self._conn.in_transaction or last:
                    raise
                time.sleep(0.02 * 2**attempt)
        return None

    def _once(self, transformed: exp.Expr, params: Any) -> None:
        if isinstance(transformed, exp.Merge):
            rows = self._duck_conn.execute(merge.returning(transformed), params).fetchall()
            return super()._execute(merge.counts(transformed, [row[0] for row in rows]), None)
        if isinstance(transformed, exp.Copy) and not self._conn.in_transaction and self._conn._autocommit:
            return self._atomically(transformed, params)
        if isinstance(transformed, exp.TruncateTable) and transformed.args.pop("local_if_exists", False):
            try:
                return super()._execute(transformed, params)
            except sf.ProgrammingError as error:
                if error.errno != 2003:
                    raise
                return self._answer(_SUCCESS)
        return super()._execute(transformed, params)

    def _atomically(self, transformed: exp.Expr, params: Any) -> None:
        """A COPY of several files outside a transaction loads all of them or none."""
        self._duck_conn.begin()
        try:
            super()._execute(transformed, params)
        except BaseException:
            self._duck_conn.rollback()
            raise
        self._duck_conn.commit()

    def _finish(self, transformed: exp.Expr, after: "_After") -> None:
        """What belongs to a statement beside its own effect; the statement's result stays the cursor's result."""
        result = (
            self._arrow_table,
            self._rowcount,
            self._last_sql,
            self._last_params,
            self._last_transformed,
            self._sfqid,
        )
        table = transformed.find(exp.Table)
        if table is None:
            return
        place = (table.catalog or self._conn.database, table.db or self._conn._schema, table.name)
        if after.not_null:
            self._set_not_null(table, after.not_null)
        if after.forgets_loads:
            self._duck_conn.execute(
                f'delete from "{place[0]}".{LOADED_FILES} where schema_name = ? and table_name = ?', list(place[1:])
            )
        with closing(self._duck_conn.cursor()) as metadata:  # another database: not in the caller's transaction
            if after.comment is not None:
                metadata.execute(info_schema.insert_table_comment_sql(*place, after.comment.replace("'", "''")))
            if after.text_lengths:
                metadata.execute(info_schema.insert_text_lengths_sql(*place, after.text_lengths))
        self._arrow_table, self._rowcount, self._last_sql, self._last_params, self._last_transformed, self._sfqid = (
            result
        )

    def _set_not_null(self, table: exp.Table, columns: list[str]) -> None:
        name = table.sql("duckdb")
        try:
            for column in columns:
                self._duck_conn.execute(f'ALTER TABLE {name} ALTER COLUMN "{column}" SET NOT NULL')
        except duckdb.Error:
            self._duck_conn.execute(f"DROP TABLE IF EXISTS {name}")
            raise

    def _describe_last_sql(self) -> list:
        try:
            return super()._describe_last_sql()
        except (sf.Error, duckdb.Error):
            # Not every statement can be described again: take the types of the result that is there.
            if self._arrow_table is None:
                raise
            return [
                (field.name, _duckdb_type(field.type), None, None, None, None) for field in self._arrow_table.schema
            ]


class _After:
    """What upstream and our rewrites left on the tree for later: taken off, so that nobody acts on it twice."""

    def __init__(self, not_null: list[str], forgets_loads: bool, comment: str | None, text_lengths: Any) -> None:
        self.not_null = not_null
        self.forgets_loads = forgets_loads
        self.comment = comment
        self.text_lengths = text_lengths

    @classmethod
    def of(cls, transformed: exp.Expr) -> "_After":
        new_table = (
            isinstance(transformed, exp.Create) and transformed.kind == "TABLE" and not transformed.args.get("exists")
        )
        comment = transformed.args.pop("table_comment", None)
        text = getattr(comment[1], "this", comment[1]) if comment else None
        return cls(
            transformed.args.pop(rewrite.NOT_NULL, None) or [],
            bool(transformed.args.pop(rewrite.FORGET_LOADS, None)) or new_table,
            str(text) if text is not None else None,
            transformed.args.pop("text_lengths", None),
        )


_DUCKDB_TYPES: Final = {
    "int64": "BIGINT",
    "int32": "INTEGER",
    "bool": "BOOLEAN",
    "double": "DOUBLE",
    "date32[day]": "DATE",
}


def _duckdb_type(arrow: pa.DataType) -> str:
    if pa.types.is_decimal(arrow):
        return f"DECIMAL({arrow.precision},{arrow.scale})"
    if pa.types.is_timestamp(arrow):
        return "TIMESTAMP WITH TIME ZONE" if arrow.tz else "TIMESTAMP"
    return _DUCKDB_TYPES.get(str(arrow), "VARCHAR")
