"""A session: one client's connection, its transaction, its locks, its names and its parameters."""

import contextlib
import logging
import secrets
from typing import Any, Final, Protocol

import duckdb

from snowflake_local import errors
from snowflake_local.logs import event
from snowflake_local.parse.names import INFORMATION_SCHEMA, Namespace, ObjectName
from snowflake_local.rewrite.statement_plan import Context
from snowflake_local.sessions.locks import TableLocks, TransactionState
from snowflake_local.sessions.parameters import Parameters
from snowflake_local.sessions.running import Running
from snowflake_local.storage.local_warehouse import LocalWarehouse
from snowflake_local.storage.stages import StagePath

_CANCEL_AGAIN_SECONDS: Final = 0.1


class Peers(Protocol):
    """Every session of the server, as one of them sees the others."""

    def numbered(self, number: int) -> "Session | None":
        """The session that CURRENT_SESSION() calls so."""
        ...

    def forget(self, session: "Session") -> None:
        """Have its client told that it is over; the caller closes it."""
        ...


class Session:
    """Made at login, ended by the client, or rolled back when its client is taken for dead.

    Args:
        warehouse: what it works on.
        locks: the table locks of all sessions.
        peers: all sessions.
        names: the current database and schema that the login asks for; what is not there is not current.
        user: who has logged in.
        role: the role of the session.
        virtual_warehouse: the name of one, without effect.
        autocommit: False: a transaction is open from the first change on.
        parameters: the session's, as ALTER SESSION would set them.
    """

    def __init__(
        self,
        warehouse: LocalWarehouse,
        locks: TableLocks,
        peers: Peers,
        names: tuple[str | None, str | None],
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
        self.warehouse, self.locks, self.peers = warehouse, locks, peers
        self.transaction = TransactionState()
        self.parameters = Parameters()
        self.parameters.change(parameters or {})
        self.variables: dict[str, str] = {}
        self.ending = False
        self.uploading: tuple[tuple[str, Namespace], StagePath] | None = None  # while PUT after PUT comes: load/put.py
        self.temporary: set[tuple[str, ObjectName]] = set()
        self.autocommit = autocommit
        self.duck = warehouse.duck.cursor()
        self.running = Running(self.duck.interrupt)
        self.namespace = self._named(*(name and name.upper() for name in names))

    def _named(self, database: str | None, schema: str | None) -> Namespace:
        schema = INFORMATION_SCHEMA if schema == "INFORMATION_SCHEMA" else schema
        sql = "select distinct upper(schema_name) from duckdb_schemas() where upper(database_name) = ?"
        schemas = {row[0] for row in self.duck.execute(sql, [database]).fetchall()} if database else set[str]()
        namespace = Namespace(database, schema, bool(schemas), schema in schemas)
        if namespace.database_set:
            self.duck.execute(f"SET schema = '{database}.{schema if namespace.schema_set else 'main'}'")
        return namespace

    # -- what a statement means in it --------------------------------------------------------------------------

    @property
    def context(self) -> Context:
        """What a plan hangs on beside its text."""
        return Context(
            self.namespace,
            (
                ("CURRENT_ROLE", self.role),
                ("CURRENT_WAREHOUSE", self.virtual_warehouse),
                ("CURRENT_USER", self.user),
                ("CURRENT_ACCOUNT", "LOCAL"),
                ("CURRENT_REGION", "LOCAL"),
                ("CURRENT_SESSION", str(self.number)),
            ),
            self.warehouse.folder,
        )

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
        return self.transaction.active or self.transaction.implicit

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
            self.duck.begin()
        self.transaction.active = True

    def begin_implicitly(self) -> None:
        """Start a transaction for a change while autocommit is off, if none is open."""
        if not self.autocommit and not self.in_transaction:
            self.duck.begin()
            self.transaction.implicit = True

    def refresh(self) -> None:
        """Let the next statement see what others have committed, as every statement does in Snowflake.

        DuckDB's transactions see the state of their start. That can be mended until the first write: a transaction
        that has only read is started again.
        """
        if self.transaction.active and not self.transaction.failed and not self.transaction.wrote:
            self.duck.rollback()
            self.duck.begin()

    def commit(self) -> None:
        """COMMIT; outside a transaction it is no error.

        Raises:
            snowflake.connector.errors.ProgrammingError: the transaction has failed: it must not keep half of itself.
            duckdb.Error: it could not be committed; everything in it is undone.
        """
        if self.transaction.failed:
            self.roll_back()
            raise errors.aborted()
        self.commit_open()

    def commit_open(self) -> None:
        """Commit what is open, if anything is.

        Raises:
            duckdb.Error: it could not be committed; everything in it is undone.
        """
        if not self.in_transaction:
            return
        try:
            self.duck.commit()
        except duckdb.Error:
            self.roll_back()
            raise
        self._ended()

    def roll_back(self) -> None:
        """Undo what is open, if anything is."""
        with contextlib.suppress(duckdb.Error):
            self.duck.rollback()
        self._ended()

    def fail(self) -> None:
        """Undo what is open, and refuse every further statement of this transaction until the client ends it."""
        self.roll_back()
        self.transaction = TransactionState(active=True, failed=True)

    def _ended(self) -> None:
        self.transaction = TransactionState()
        self.locks.release(self)

    def lock(self, table: ObjectName) -> None:
        """Take a table's lock before it is written to."""
        self.locks.acquire(str(table), self, self.parameters.lock_timeout_seconds)

    def set_autocommit(self, on: bool) -> None:
        """ALTER SESSION SET AUTOCOMMIT: what is open is committed."""
        self.commit_open()
        self.autocommit = on

    def close(self) -> None:
        """End the session: its statement is stopped, an open transaction rolled back, temporary tables dropped."""
        self.cancel()
        while not self.running.lock.acquire(timeout=_CANCEL_AGAIN_SECONDS):
            self.cancel()
        try:
            self.roll_back()
            for kind, name in self.temporary:
                with contextlib.suppress(duckdb.Error):
                    self.duck.execute(f"DROP {kind} IF EXISTS {name.quoted}")
            self.duck.close()
        finally:
            self.running.lock.release()
