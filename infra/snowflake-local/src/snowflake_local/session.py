"""A session: one client's connection, its transaction, its locks and its parameters."""

import contextlib
import logging
import secrets
from typing import Any, Final, Protocol

import duckdb
from fakesnow.conn import FakeSnowflakeConnection
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.locks import TransactionState
from snowflake_local.logs import event
from snowflake_local.parameters import Parameters
from snowflake_local.running import Running
from snowflake_local.store import LocalWarehouse

_CANCEL_AGAIN_SECONDS: Final = 0.1


class Peers(Protocol):
    """Every session of the server, as one of them sees the others."""

    def numbered(self, number: int) -> "Session | None":
        """The session that CURRENT_SESSION() calls so."""
        ...

    def forget(self, session: "Session") -> None:
        """Have its client told that it is over; the caller closes it."""
        ...


class Session(FakeSnowflakeConnection):
    """Made at login, ended by the client, or rolled back when its client is taken for dead.

    Statements run on a `snowflake_local.cursor.Cursor` of it, never on one of upstream's `cursor()`.
    """

    def __init__(
        self,
        warehouse: LocalWarehouse,
        peers: "Peers",
        database: str | None,
        schema: str | None,
        *,
        user: str = "",
        role: str = "",
        virtual_warehouse: str = "",
        autocommit: bool = True,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        self.number = 10**16 + secrets.randbelow(9 * 10**16)  # of no other session, before a restart neither
        self.user, self.role, self.virtual_warehouse = user, role, virtual_warehouse
        self.own_role = role
        self.warehouse = warehouse
        self.locks = warehouse.locks
        self.transaction = TransactionState()
        self.parameters = Parameters()
        self.parameters.change(parameters or {})
        self.peers = peers
        self.ending = False
        self.uploading: tuple[object, str, str] | None = None  # while PUT after PUT comes: see load/put.py
        self.temporary: set[tuple[str, str]] = set()
        duck = warehouse.duck_conn.cursor()
        self.running = Running(duck.interrupt)
        super().__init__(
            duck,
            warehouse.results_cache,
            database,
            schema,
            create_database=False,
            create_schema=False,
            db_path=warehouse.db_path,
            nop_regexes=warehouse.nop_regexes,
            autocommit=autocommit,
        )

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
        return self.running.idle_seconds

    @property
    def cancelled(self) -> bool:
        """The statement that runs has to end: whoever waits for a lock looks here."""
        return self.running.stopped

    def working(self) -> contextlib.AbstractContextManager[None]:
        """Marks a statement as running; a session runs one at a time, each within STATEMENT_TIMEOUT_IN_SECONDS."""
        return self.running.statement(self.parameters.statement_timeout_seconds)

    def abandon(self, after_seconds: float) -> None:
        """Take the client for dead: what is open is rolled back. A client that lives is told so by its next statement.

        Does nothing when the session has come back to work since.
        """
        if not self.running.lock.acquire(blocking=False):
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
            self.running.lock.release()

    def cancel(self) -> bool:
        """Stop the statement that runs; says whether one does."""
        stopped = self.running.stop(errors.cancelled())
        self.locks.wake()
        return stopped

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
        self.locks.acquire(name, self, self.parameters.lock_timeout_seconds)

    # -- upstream's interface ----------------------------------------------------------------------------------

    def autocommit(self, mode: bool) -> None:
        """ALTER SESSION SET AUTOCOMMIT: what is open is committed."""
        self.commit_open()
        self._autocommit = mode

    def close(self, retry: bool = True) -> None:  # noqa: ARG002 - upstream's signature
        """End the session: its statement is stopped, an open transaction rolled back, temporary tables dropped."""
        self.cancel()
        while not self.running.lock.acquire(timeout=_CANCEL_AGAIN_SECONDS):
            self.cancel()
        try:
            self.roll_back()
            for kind, name in self.temporary:
                with contextlib.suppress(duckdb.Error):
                    self._duck_conn.execute(f"DROP {kind} IF EXISTS {name}")
            super().close()
        finally:
            self.running.lock.release()
