"""A session: one client's connection, its transaction, its locks and its parameters."""

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import duckdb
from fakesnow.conn import FakeSnowflakeConnection
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.logs import event
from snowflake_local.store import Warehouse
from snowflake_local.tx import TransactionState

DEFAULT_LOCK_TIMEOUT_SECONDS: Final = 43_200.0
"""Snowflake's default of the parameter LOCK_TIMEOUT."""
_numbers = itertools.count(1)


class Session(FakeSnowflakeConnection):
    """Made at login, ended by the client, or rolled back when its client is taken for dead.

    Statements run on a `snowflake_local.cursor.Cursor` of it, never on one of upstream's `cursor()`.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        database: str | None,
        schema: str | None,
        *,
        user: str = "",
        role: str = "",
        virtual_warehouse: str = "",
        autocommit: bool = True,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        self.number = next(_numbers)
        self.user, self.role, self.virtual_warehouse = user, role, virtual_warehouse
        self.own_role = role
        self.warehouse = warehouse
        self.locks = warehouse.locks
        self.transaction = TransactionState()
        self.parameters = {name.upper(): str(value) for name, value in (parameters or {}).items()}
        self.statement_lock = threading.RLock()
        self.temporary: set[tuple[str, str]] = set()
        self.cancelled = False
        self._running = 0
        self._last_seen = time.monotonic()
        super().__init__(
            warehouse.duck_conn.cursor(),
            warehouse.results_cache,
            database,
            schema,
            create_database=False,
            create_schema=False,
            db_path=warehouse.db_path,
            nop_regexes=warehouse.nop_regexes,
            autocommit=autocommit,
        )

    @property
    def lock_timeout_seconds(self) -> float:
        """The session's parameter LOCK_TIMEOUT."""
        try:
            return float(self.parameters["LOCK_TIMEOUT"])
        except (KeyError, ValueError):
            return DEFAULT_LOCK_TIMEOUT_SECONDS

    def set_parameters(self, values: dict[str, str | None]) -> None:
        """ALTER SESSION SET, or with None as the value UNSET."""
        for name, value in values.items():
            self.parameters.pop(name, None)
            if value is not None:
                self.parameters[name] = value

    def leave(self, database: str) -> bool:
        """Have no current database if it is this one; says whether it was."""
        if self.database != database:
            return False
        self.database = self._schema = None
        self.database_set = self.schema_set = False
        return True

    # -- what locks ask ----------------------------------------------------------------------------------------

    @property
    def idle_seconds(self) -> float:
        """Since the last statement ended; 0 while one runs."""
        return 0.0 if self._running else time.monotonic() - self._last_seen

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Marks a statement as running; a session runs one at a time."""
        with self.statement_lock:
            if not self._running:
                self.cancelled = False
            self._running += 1
            try:
                yield
            finally:
                self._running -= 1
                self._last_seen = time.monotonic()

    def abandon(self, after_seconds: float) -> None:
        """Take the client for dead: what is open is rolled back. A client that lives is told so by its next statement.

        Does nothing when the session has come back to work since.
        """
        if not self.statement_lock.acquire(blocking=False):
            return
        try:
            if self.idle_seconds < after_seconds:
                return
            if not self.in_transaction:
                self.locks.release(self)
                return
            event(logging.WARNING, "transaction_abandoned", session=self.number, idle_seconds=self.idle_seconds)
            self.fail()
        finally:
            self.statement_lock.release()

    def cancel(self) -> None:
        """Stop the statement that runs, if one does."""
        if self._running:
            self.cancelled = True
            self._duck_conn.interrupt()
            self.locks.wake()

    # -- transactions ------------------------------------------------------------------------------------------

    @property
    def in_transaction(self) -> bool:
        """BEGIN was seen, or autocommit is off and a statement has run."""
        return self.transaction.active or self._in_transaction

    def begin(self) -> None:
        """Start a transaction; a second BEGIN changes nothing, as in Snowflake.

        Raises:
            snowflake.connector.errors.ProgrammingError: the one before has failed and was not rolled back.
        """
        if self.transaction.failed:
            raise errors.aborted()
        if self.in_transaction:
            self.transaction.wrote = True  # it may have, when autocommit is off
        else:
            self._duck_conn.begin()
            self._in_transaction = not self._autocommit
        self.transaction.active = True

    def refresh(self) -> None:
        """Let the next statement see what others have committed, as every statement does in Snowflake.

        DuckDB's transactions see the state of their start. That can be mended until the first write: a transaction
        that has only read is started again.
        """
        if self.transaction.active and not self.transaction.failed and not self.transaction.wrote:
            self._duck_conn.rollback()
            self._duck_conn.begin()

    def commit_open(self) -> None:
        """Commit what is open, if anything is.

        Raises:
            duckdb.Error: it could not be committed; everything in it is undone.
        """
        if not self.in_transaction:
            return
        try:
            self._duck_conn.commit()
        except duckdb.Error:
            self.roll_back()
            raise
        self._ended()

    def roll_back(self) -> None:
        """Undo what is open, if anything is."""
        with contextlib.suppress(duckdb.Error):
            self._duck_conn.rollback()
        self._ended()

    def fail(self) -> None:
        """Undo what is open, and refuse every further statement of this transaction until the client ends it."""
        self.roll_back()
        self.transaction = TransactionState(active=True, failed=True)

    def _ended(self) -> None:
        self.transaction = TransactionState()
        self._in_transaction = False
        self.locks.release(self)

    def lock(self, table: exp.Table) -> None:
        """Take a table's lock before it is written to."""
        name = f"{table.catalog or self.database}.{table.db or self._schema}.{table.name}"
        self.locks.acquire(name, self, self.lock_timeout_seconds)

    # -- upstream's interface ----------------------------------------------------------------------------------

    def autocommit(self, mode: bool) -> None:
        """ALTER SESSION SET AUTOCOMMIT: what is open is committed."""
        self.commit_open()
        self._autocommit = mode

    def close(self, retry: bool = True) -> None:  # noqa: ARG002 - upstream's signature
        """End the session: its statement is stopped, an open transaction rolled back, temporary tables dropped."""
        self.cancel()
        with self.statement_lock:
            self.roll_back()
            for kind, name in self.temporary:
                with contextlib.suppress(duckdb.Error):
                    self._duck_conn.execute(f"DROP {kind} IF EXISTS {name}")
            super().close()
