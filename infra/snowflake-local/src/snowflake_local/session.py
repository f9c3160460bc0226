"""A session: one client's connection, its transaction and its locks."""

import contextlib
import threading
import time
from typing import Any

import duckdb
from fakesnow.conn import FakeSnowflakeConnection
from sqlglot import exp

from snowflake_local.store import Warehouse
from snowflake_local.tx import TransactionState

DEFAULT_LOCK_TIMEOUT_SECONDS = 43_200.0
"""Snowflake's default of the parameter LOCK_TIMEOUT."""


class Session(FakeSnowflakeConnection):
    """Made at login, ended by the client, or rolled back when its client is taken for dead."""

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
    ) -> None:
        self.user, self.role, self.virtual_warehouse = user, role, virtual_warehouse
        self.locks = warehouse.locks
        self.transaction = TransactionState()
        self.lock_timeout_seconds = DEFAULT_LOCK_TIMEOUT_SECONDS
        self.statement_lock = threading.RLock()
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

    # -- what locks ask ----------------------------------------------------------------------------------------

    @property
    def idle_seconds(self) -> float:
        """Since the last statement ended; 0 while one runs."""
        return 0.0 if self._running else time.monotonic() - self._last_seen

    @contextlib.contextmanager
    def working(self) -> Any:
        """Marks a statement as running."""
        with self.statement_lock:
            self._running += 1
            try:
                yield
            finally:
                self._running -= 1
                self._last_seen = time.monotonic()

    def abandon(self) -> None:
        """Roll back whatever is open, without touching the session itself."""
        with self.statement_lock:
            self.roll_back()
            self.transaction.failed = True

    # -- transactions ------------------------------------------------------------------------------------------

    @property
    def in_transaction(self) -> bool:
        """BEGIN was seen, or autocommit is off and a statement has run."""
        return self.transaction.active or self._in_transaction

    def begin(self) -> None:
        """Start a transaction; a second BEGIN changes nothing, as in Snowflake."""
        if not self.in_transaction:
            self._duck_conn.begin()
        self.transaction.active, self.transaction.failed = True, False

    def commit_open(self) -> None:
        """Commit what is open, if anything is."""
        with contextlib.suppress(duckdb.TransactionException):
            self._duck_conn.commit()
        self._ended()

    def roll_back(self) -> None:
        """Undo what is open, if anything is."""
        with contextlib.suppress(duckdb.Error):
            self._duck_conn.rollback()
        self._ended()

    def _ended(self) -> None:
        self.transaction.active = self._in_transaction = False
        self.locks.release(self)

    def lock(self, table: exp.Table) -> None:
        """Take a table's lock before it is written to."""
        name = f"{table.catalog or self.database}.{table.db or self._schema}.{table.name}"
        self.locks.acquire(name, self, self.lock_timeout_seconds)

    # -- upstream's interface ----------------------------------------------------------------------------------

    def cursor(self, *_args: Any, **_kwargs: Any) -> Any:
        """Our cursor, whatever class is asked for."""
        from snowflake_local.cursor import Cursor

        return Cursor(conn=self, duck_conn=self._duck_conn)

    def close(self, retry: bool = True) -> None:  # noqa: ARG002 - upstream's signature
        """End the session: an open transaction is rolled back."""
        with self.statement_lock:
            self.roll_back()
            super().close()
