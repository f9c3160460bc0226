"""The bank's database through psycopg: one connection, each plan one transaction sent in few round trips."""

from typing import Any, Final, LiteralString

import psycopg
from psycopg import errors

from bank_common.runtime.errors import PipelineError
from bank_common.runtime.settings import PostgresSettings
from bank_common.runtime.tracing import MESSAGE_PREFIX
from generator.adapters.bookings import Booking, StaleError, book
from generator.model.actions import ChangeProfile, OpenCustomer, Person, PlannedAction
from generator.model.outcomes import Account, Committed, KnownState, Outcome, RolledBack
from generator.ports import BankAwayError

_EMIT: Final = "SELECT pg_logical_emit_message(true, %s, %s)"
_REFUSED_LOGIN: Final = ("password authentication failed", "no pg_hba.conf entry", "does not exist", "not permitted")


class PostgresBankDatabase:
    """The `BankDatabase` of a real bank. Not thread-safe."""

    def __init__(self, settings: PostgresSettings, *, connect_timeout_seconds: int = 5) -> None:
        self._settings = settings
        self._connect_timeout_seconds = connect_timeout_seconds
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def __enter__(self) -> "PostgresBankDatabase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave; an open transaction is rolled back by the server."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def open(self) -> KnownState:
        """See `BankDatabase.open`."""
        self.close()
        where = self._settings
        try:
            self._connection = psycopg.connect(
                host=where.host,
                port=where.port,
                dbname=where.database,
                user=where.user,
                password=where.password.get_secret_value(),
                application_name="generator",
                connect_timeout=self._connect_timeout_seconds,
                autocommit=True,
            )
            return self._read_bank(self._connection)
        except (errors.UndefinedTable, errors.InsufficientPrivilege) as error:
            raise PipelineError(
                f"The database {where.database!r} is not the bank's: {_first_line(error)}.",
                advice="Check GENERATOR_POSTGRES__DATABASE; the bank's has its migrations and roles applied. "
                "Runbook: infra/runbooks/bank-database-away.md.",
            ) from None
        except psycopg.OperationalError as error:
            reason = _first_line(error)
            if any(words in reason for words in _REFUSED_LOGIN):
                raise PipelineError(
                    f"Postgres at {where.host}:{where.port} refused the login: {reason}.",
                    advice="Correct GENERATOR_POSTGRES__USER, __PASSWORD and __DATABASE. "
                    "Runbook: infra/runbooks/bank-database-away.md.",
                ) from None
            raise BankAwayError(reason) from None

    def _read_bank(self, connection: psycopg.Connection[tuple[Any, ...]]) -> KnownState:
        with connection.transaction():
            # One snapshot for both tables: no account without its customer.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            customers = connection.execute("SELECT id, first_name, last_name, email FROM customers ORDER BY id")
            accounts = connection.execute("SELECT id, customer_id, balance FROM accounts ORDER BY id")
            return KnownState(
                customers={row[0]: Person(*row[1:]) for row in customers},
                accounts={row[0]: Account(*row[1:]) for row in accounts},
            )

    def perform(self, plan: PlannedAction, traceparent: str | None) -> Outcome:
        """See `BankDatabase.perform`."""
        connection = self._connected()
        booking = Booking(connection)
        committing = False
        try:
            # BEGIN and COMMIT by hand: `transaction()` inside a pipeline costs a round trip at each end.
            with connection.pipeline():
                connection.execute("BEGIN")
                if traceparent is not None:
                    connection.execute(_EMIT, (MESSAGE_PREFIX, traceparent))
                state, money = book(booking, plan.action)
                # From here on the commit may have been sent: a broken connection leaves its outcome unknown.
                committing = not plan.given_up
                ended = connection.execute("ROLLBACK" if plan.given_up else "COMMIT")
        except StaleError as stale:
            return self._undone(RolledBack("stale", stale.state))
        except psycopg.Error as error:
            return self._undone(self._failed(error, plan, outcome_unknown=committing))
        if plan.given_up:
            return RolledBack("given_up")
        if ended.statusmessage != "COMMIT":
            raise RuntimeError(f"Postgres answered COMMIT with {ended.statusmessage}")
        return Committed(state, booking.changes(), money)

    def _undone(self, outcome: RolledBack) -> RolledBack:
        """End the transaction that failed, so that the connection can begin the next one."""
        try:
            self._connected().rollback()
        except psycopg.OperationalError as error:
            self.close()
            raise BankAwayError(_first_line(error)) from None
        return outcome

    def _failed(self, error: psycopg.Error, plan: PlannedAction, *, outcome_unknown: bool) -> RolledBack:
        """Somebody else was first (rolled back, stale), or the connection is gone."""
        if isinstance(error, errors.UniqueViolation) and isinstance(plan.action, OpenCustomer | ChangeProfile):
            return RolledBack("stale", KnownState(taken_emails=(plan.action.person.email,)))
        if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure | errors.ForeignKeyViolation):
            return RolledBack("stale")
        if isinstance(error, psycopg.OperationalError):
            self.close()
            raise BankAwayError(_first_line(error), outcome_unknown=outcome_unknown) from None
        raise error

    def position(self) -> str:
        """See `BankDatabase.position`."""
        query: LiteralString = "SELECT pg_current_wal_lsn()::text"
        try:
            row = self._connected().execute(query).fetchone()
        except psycopg.OperationalError as error:
            self.close()
            raise BankAwayError(_first_line(error)) from None
        assert row is not None  # noqa: S101 - a SELECT of one value has a row
        return row[0]

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None:
            raise BankAwayError("not connected")
        return self._connection


def _first_line(error: psycopg.Error) -> str:
    """The server's or libpq's sentence, without its DETAIL (which may hold values of rows)."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
