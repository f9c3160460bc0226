"""The rules of Snowflake's transactions, around whatever a statement does on DuckDB."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import duckdb

from snowflake_local import errors
from snowflake_local.rewrite.statement_plan import Rules
from snowflake_local.sessions.session import Session

Done = TypeVar("Done")
_CONFLICT_RETRIES: Final = 8


@contextlib.contextmanager
def applied(session: Session, rules: Rules) -> Iterator[None]:
    """A statement within its transaction: what is open is committed before DDL, locks are taken, an error undoes all.

    Raises:
        snowflake.connector.errors.ProgrammingError: the transaction has failed before, a lock was not to be had, or
            the statement has to end.
    """
    if session.transaction.failed:
        raise errors.aborted()
    if rules.is_ddl:
        session.commit_open()
    try:
        if rules.locks is not None:
            session.lock(rules.locks)
        session.running.go_on()
        session.refresh()
        session.transaction.wrote |= rules.writes
        if rules.begins:
            session.begin_implicitly()
        yield
    except Exception:
        if session.in_transaction:
            session.fail()
        raise
    finally:
        if not session.in_transaction:
            session.transaction.wrote = False
            session.locks.release(session)


def retrying(session: Session, work: Callable[[], Done]) -> Done:
    """Two sessions that change one catalogue conflict in DuckDB, not in Snowflake: outside transactions, go on."""
    attempt = 0
    while True:
        try:
            return work()
        except duckdb.TransactionException as error:
            attempt += 1
            if "onflict" not in str(error) or session.in_transaction or attempt == _CONFLICT_RETRIES:
                raise
            time.sleep(0.01 * 2**attempt)


def whole(session: Session, work: Callable[[], Done]) -> Done:
    """Several steps as one: in the transaction that is open, or in one of their own."""
    if session.in_transaction:
        return work()
    session.duck.begin()
    try:
        done = work()
    except BaseException:
        session.duck.rollback()
        raise
    session.duck.commit()
    return done
