"""Runs a statement: recognised, rewritten, run under its transaction's rules, its errors translated."""

import time
import uuid
from typing import Any, Final

import duckdb
from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector import errors as sf
from sqlglot import exp

from snowflake_local import errors, results
from snowflake_local.load import listing, put
from snowflake_local.parameters import DEFAULTS
from snowflake_local.session import Session
from snowflake_local.sql import bulk, commands, control, describe, merge, rewrite, swap
from snowflake_local.sql.after_effects import AfterEffects

_CONFLICT_RETRIES: Final = 8
_DDL: Final = (exp.Create, exp.Drop, exp.Alter)
_STAGE_DDL: Final = ("create_stage_name", "create_file_format_name")
"""Upstream makes these statements INSERTs into its own tables: they are DDL all the same."""
_LOCKING: Final = (exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
_SUCCESS: Final = commands.Answer(["status"], [["Statement executed successfully."]])


class Cursor(FakeSnowflakeCursor):
    """fakesnow's cursor with Snowflake's rules for transactions."""

    _conn: Session

    def __init__(self, session: Session) -> None:
        super().__init__(conn=session, duck_conn=session._duck_conn)
        self._cut: bulk.Cut | None = None
        self._key: tuple[object, ...] | None = None
        self._described: list[tuple[Any, ...]] | None = None

    def execute(self, command: str, params: Any = None, *args: Any, **kwargs: Any) -> "Cursor":
        """Run one statement.

        Raises:
            snowflake.connector.errors.Error: always one of these, with a number and a SQL state.
        """
        bare = commands.without_comments(command)
        self._cut = self._key = None
        with self._conn.working():
            try:
                known = commands.recognise(bare)
                if not isinstance(known, commands.PutFiles):
                    self._conn.uploading = None
                if known is not None:
                    self._run(known, kwargs.get("binding_params", params))
                else:
                    self._cut = bulk.cut(bare)
                    self._execute_text(self._cut.statement if self._cut else bare, params, *args, **kwargs)
            except Exception as error:
                raise self._conn.running.why(errors.translate(error)) from error
        return self

    # -- commands ----------------------------------------------------------------------------------------------

    def _run(self, command: commands.Command, bound: Any) -> None:
        session = self._conn
        match command:
            case commands.Answer():
                self._answer(command)
            case commands.StageCommand():
                self._answer(listing.run(session, self._duck_conn, command))
            case commands.PutFiles():
                self._last_transformed = put.run(session, self._duck_conn, command)
            case commands.DropStage():
                self._commit_before_ddl()
                self._answer(listing.drop(session, self._duck_conn, command))
            case commands.UseContext():
                self._use(command)
            case commands.SetParameters(values):
                session.parameters.change(values)
                self._answer(_SUCCESS)
            case commands.ShowParameter(name):
                default = str(DEFAULTS.get(name, ""))
                level = "SESSION" if name in session.parameters else ""
                columns = ["key", "value", "default", "level", "description", "type"]
                kind = "NUMBER" if default else "STRING"
                value = session.parameters.get(name, default)
                self._answer(commands.Answer(columns, [[name, value, default, level, "", kind]]))
            case commands.SystemCall():
                self._answer(control.run(session, command, bound))
            case commands.SwapTables():
                self._commit_before_ddl()
                swap.run(self._duck_conn, command)
                self._answer(_SUCCESS)
            case commands.Refused(feature):
                raise errors.unsupported(feature)
            case commands.Begin():
                session.begin()
                self._answer(_SUCCESS)

    def _use(self, context: commands.UseContext) -> None:
        session = self._conn
        if context.kind == "WAREHOUSE":
            session.virtual_warehouse = context.name
        elif session.own_role in (context.name, "ACCOUNTADMIN"):
            session.role = context.name
        else:
            raise errors.role_not_assigned(context.name)
        self._answer(_SUCCESS)

    def _answer(self, answer: commands.Answer) -> None:
        table = results.of_texts(answer.columns, answer.rows)
        self._have(table, results.described(table.schema), "", exp.Command(this="ANSWER"))

    def _have(self, table: Any, described: list[tuple[Any, ...]], sql: str, tree: exp.Expr) -> None:
        """Have this result, as upstream has one."""
        self._arrow_table, self._described = table, described
        self._arrow_table_fetch_index = None
        self._rowcount, self._sfqid = table.num_rows, str(uuid.uuid4())
        self._last_sql, self._last_params, self._last_transformed = sql, None, tree
        self._conn.results_cache[self._sfqid] = (table, self._rowcount, sql, None, tree)

    # -- statements --------------------------------------------------------------------------------------------

    def _execute_text(self, text: str, params: Any, *args: Any, **kwargs: Any) -> None:
        """Parsed and rewritten, or as it was when the same text was before."""
        bound = kwargs.get("binding_params") or None
        self._key = self._rewriting(text) if bound is None or "IDENTIFIER" not in text.upper() else None
        known = self._conn.warehouse.rewritten.get(self._key) if self._key and not params else None
        if known is None:
            super().execute(text, params, *args, **kwargs)
        else:
            values = list(bound) if isinstance(bound, tuple) else bound
            self._execute(self._completed(known), values if known.find(exp.Placeholder) else None)

    def _rewriting(self, text: str) -> tuple[object, ...] | None:
        """All that the rewritten tree depends on; None when that is more than can be said."""
        session = self._conn
        if "$" in text:  # a session's variable, perhaps
            return None
        namespace = (session.database, session.database_set, session._schema, session.schema_set)
        return (text, *namespace, *(self._context().values() if "CURRENT_" in text.upper() else ()))

    def _transform_explode(self, expression: exp.Expr) -> list[exp.Expr]:
        statements = super()._transform_explode(expression)
        if len(statements) > 1:
            self._key = None
        return statements

    def _context(self) -> dict[str, str]:
        session = self._conn
        return {
            "CURRENT_ROLE": session.role,
            "CURRENT_WAREHOUSE": session.virtual_warehouse,
            "CURRENT_USER": session.user,
            "CURRENT_ACCOUNT": "LOCAL",
            "CURRENT_REGION": "LOCAL",
            "CURRENT_SESSION": str(session.number),
        }

    def _transform(self, expression: exp.Expr, params: Any) -> exp.Expr:
        transformed = super()._transform(rewrite.before(expression, self._context()), params)
        if isinstance(transformed, exp.Merge):
            transformed = merge.unqualify_targets(transformed)
        if isinstance(transformed, exp.TruncateTable) and transformed.args.get("exists"):
            transformed.set("exists", None)
            transformed.args["local_if_exists"] = True
        if self._key is not None:
            self._conn.warehouse.rewritten.keep(self._key, transformed)
        return self._completed(transformed)

    def _completed(self, transformed: exp.Expr) -> exp.Expr:
        """Complete the tree with what depends on more than the text: lists that were cut out, columns of a query."""
        if self._cut is not None:
            self._cut.restore(transformed)
        return rewrite.create_table_as(transformed, self._duck_conn)

    def _execute(self, transformed: exp.Expr, params: Any = None) -> None:
        session = self._conn
        if isinstance(transformed, exp.Transaction):
            session.begin()
            return self._answer(_SUCCESS)
        if isinstance(transformed, exp.Rollback):
            session.roll_back()
            return self._answer(_SUCCESS)
        if isinstance(transformed, exp.Commit):
            return self._commit()
        if session.transaction.failed:
            raise errors.aborted()
        if isinstance(transformed, _DDL) or any(name in transformed.args for name in _STAGE_DDL):
            self._commit_before_ddl()
        return self._run_statement(transformed, params)

    def _commit(self) -> None:
        session = self._conn
        if session.transaction.failed:
            session.roll_back()
            raise errors.aborted()
        session.commit_open()
        self._answer(_SUCCESS)

    def _commit_before_ddl(self) -> None:
        """Snowflake commits the open transaction before DDL, and the DDL by itself."""
        if self._conn.transaction.failed:
            raise errors.aborted()
        self._conn.commit_open()

    def _run_statement(self, transformed: exp.Expr, params: Any) -> None:
        session = self._conn
        after_effects = AfterEffects.of(transformed, session)
        try:
            target = transformed.find(exp.Table) if isinstance(transformed, _LOCKING) else None
            if target is not None:
                session.lock(target)
            session.running.go_on()
            session.refresh()
            session.transaction.wrote |= not isinstance(transformed, (exp.Query, exp.Describe, exp.Show))
            self._retrying(transformed, params)
            with _Kept(self):
                after_effects.apply(session, self._duck_conn)
        except Exception:
            if session.in_transaction:
                session.fail()
            raise
        finally:
            if not session.in_transaction:
                session.transaction.wrote = False
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
            return self._on_duckdb(merge.counts(transformed, [row[0] for row in rows]), None)
        if isinstance(transformed, exp.Describe) and (sql := describe.sql(transformed, self._conn)):
            self._duck_conn.execute(sql)
            table = self._duck_conn.to_arrow_table()
            return self._have(table, results.of_duckdb(self._duck_conn.description), sql, transformed)
        if isinstance(transformed, exp.Drop) and str(transformed.kind).upper() == "DATABASE":
            return self._drop_database(transformed)
        if isinstance(transformed, exp.Copy) and not self._conn.in_transaction and self._conn._autocommit:
            return self._atomically(transformed, params)
        if isinstance(transformed, exp.TruncateTable) and transformed.args.pop("local_if_exists", False):
            try:
                return self._on_duckdb(transformed, params)
            except sf.ProgrammingError as error:
                if error.errno != 2003:
                    raise
                return self._answer(_SUCCESS)
        return self._on_duckdb(transformed, params)

    def _on_duckdb(self, transformed: exp.Expr, params: Any) -> None:
        super()._execute(transformed, params)
        is_scan = "result_scan_sfqid" in transformed.args  # of a result that was there: DuckDB was not asked
        self._described = None if is_scan else results.of_duckdb(self._duck_conn.description)

    def _drop_database(self, drop: exp.Drop) -> None:
        """DuckDB detaches; the file goes in the after-statement effects."""
        name = drop.find(exp.Table).name  # type: ignore[union-attr]
        if self._conn.leave(name):
            self._duck_conn.execute("USE memory")
        try:
            self._duck_conn.execute(f'DETACH DATABASE {"IF EXISTS " if drop.args.get("exists") else ""}"{name}"')
        except duckdb.Error:
            raise errors.missing_object(name) from None
        self._answer(commands.Answer(["status"], [[f"{name} successfully dropped."]]))

    def _atomically(self, transformed: exp.Expr, params: Any) -> None:
        """A COPY of several files outside a transaction loads all of them or none."""
        self._duck_conn.begin()
        try:
            self._on_duckdb(transformed, params)
        except BaseException:
            self._duck_conn.rollback()
            raise
        self._duck_conn.commit()

    def _describe_last_sql(self) -> list:
        """Names and DuckDB types of the result; upstream parses the statement once more for it."""
        if self._described is not None:
            return results.supported(self._described)
        if self._arrow_table is None:
            raise errors.compilation("The statement has no result.")
        if not self._last_sql:
            return results.described(self._arrow_table.schema)
        return results.supported(self._duck_conn.execute(f"DESCRIBE {self._last_sql}", self._last_params).fetchall())


class _Kept:
    """Keeps a statement's result while other statements run on its cursor's connection."""

    _NAMES: Final = (
        "_described",
        "_arrow_table",
        "_rowcount",
        "_last_sql",
        "_last_params",
        "_last_transformed",
        "_sfqid",
    )

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def __enter__(self) -> None:
        self._values = {name: getattr(self._cursor, name) for name in self._NAMES}

    def __exit__(self, *_: object) -> None:
        for name, value in self._values.items():
            setattr(self._cursor, name, value)
