"""Statements that are stopped: by their session's limit, by another session; sessions that another session ends."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from loads import COPY, FENCE, LEDGER, LoadingServer, run_all
from snowflake.connector.errors import DatabaseError, Error, ProgrammingError

LONG_QUERY = "select count(*) from range(4000000) a, range(4000000) b where a.range + b.range = 7"
LONG_INSERT = "insert into landed select a.range from range(4000000) a, range(4000000) b where a.range + b.range = 7"


@pytest.fixture(autouse=True)
def _empty(shared: LoadingServer) -> None:
    shared.empty()


def _limited(server: LoadingServer, seconds: int = 1, **more: Any) -> Any:
    return server.session(session_parameters={"STATEMENT_TIMEOUT_IN_SECONDS": seconds, **more})


@pytest.mark.parametrize("statement", [LONG_QUERY, LONG_INSERT, "select system$wait(60)"])
def test_a_long_statement_ends_at_its_sessions_limit(shared: LoadingServer, statement: str) -> None:
    cursor = _limited(shared)
    with pytest.raises(ProgrammingError, match=r"timeout of 1 second\(s\) and was canceled") as caught:
        cursor.execute(statement)
    assert (caught.value.errno, caught.value.sqlstate) == (630, "57014")
    assert cursor.execute("select 1").fetchone() == (1,)
    assert shared.counts() == (0, 0, 0)


def test_a_transaction_whose_statement_was_stopped_is_rolled_back(shared: LoadingServer) -> None:
    cursor = _limited(shared)
    run_all(cursor, "begin", FENCE, COPY, LEDGER)
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute(LONG_INSERT)
    assert caught.value.errno == 630
    with pytest.raises(ProgrammingError, match="rolled back"):
        cursor.execute("commit")
    run_all(shared.session(session_parameters={"LOCK_TIMEOUT": 0}), FENCE)
    assert shared.counts() == (0, 0, 1)


def test_whoever_waits_for_a_lock_is_stopped_by_the_shorter_of_both_limits(shared: LoadingServer) -> None:
    holder = shared.session()
    run_all(holder, "begin", FENCE)
    for limits, number in (({"LOCK_TIMEOUT": 60}, 630), ({"LOCK_TIMEOUT": 0}, 625)):
        with pytest.raises(ProgrammingError) as caught:
            _limited(shared, **limits).execute(FENCE)
        assert caught.value.errno == number
    holder.execute("rollback")


def test_a_limit_is_of_each_statement_and_not_of_the_session(shared: LoadingServer) -> None:
    cursor = _limited(shared, 2)
    began = time.monotonic()
    while time.monotonic() - began < 3:
        cursor.execute("select system$wait(1)")
    assert cursor.execute("select 1").fetchone() == (1,)


def test_a_login_with_a_limit_that_can_not_be_is_refused(shared: LoadingServer) -> None:
    with pytest.raises(DatabaseError, match=r"invalid value \[-1\] for parameter 'STATEMENT_TIMEOUT_IN_SECONDS'"):
        _limited(shared, -1)


def _meanwhile(cursor: Any, statement: str) -> Callable[[], Error | None]:
    """Runs a statement in a thread; gives a function that waits for its end and gives its error."""
    failed: list[Error] = []

    def run() -> None:
        try:
            cursor.execute(statement)
        except Error as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def ended() -> Error | None:
        thread.join(30)
        assert not thread.is_alive(), "the statement goes on"
        return failed[0] if failed else None

    return ended


def _cancel(cursor: Any, number: int) -> None:
    """Until it had something to cancel."""
    deadline = time.monotonic() + 30
    while cursor.execute(f"select system$cancel_all_queries({number})").fetchone() != ("1 cancelled.",):
        assert time.monotonic() < deadline, "the statement did not run"


@pytest.mark.parametrize("statement", [LONG_QUERY, LONG_INSERT, FENCE])
def test_another_session_cancels_a_statement(shared: LoadingServer, statement: str) -> None:
    holder, stuck, other = shared.session(), shared.session(), shared.session()
    run_all(holder, "begin", FENCE)
    ended = _meanwhile(stuck, statement)
    _cancel(other, stuck.connection.session_id)
    error = ended()
    assert error is not None
    assert (error.errno, error.sqlstate) == (604, "57014")
    holder.execute("rollback")
    assert stuck.execute("select 1").fetchone() == (1,)
    assert shared.counts() == (0, 0, 0)


def test_a_session_is_ended_in_the_middle_of_a_statement(shared: LoadingServer) -> None:
    stuck, other = shared.session(), shared.session(session_parameters={"LOCK_TIMEOUT": 0})
    (number,) = stuck.execute("select current_session()").fetchone()
    run_all(stuck, "begin", FENCE, COPY)
    ended = _meanwhile(stuck, LONG_INSERT)
    assert other.execute(f"select system$abort_session({number})").fetchone() == (f"session [{number}] terminated.",)
    run_all(other, FENCE)  # the lock is free when the answer is there
    assert ended() is not None
    with pytest.raises(Error):
        stuck.execute("commit")
    assert shared.counts() == (0, 0, 1)


def test_a_session_can_end_itself(shared: LoadingServer) -> None:
    cursor = shared.session()
    run_all(cursor, "begin", FENCE)
    cursor.execute(f"select system$abort_session({cursor.connection.session_id})")
    with pytest.raises(Error):
        cursor.execute("commit")
    run_all(shared.session(session_parameters={"LOCK_TIMEOUT": 0}), FENCE)
    assert shared.counts() == (0, 0, 1)


@pytest.mark.parametrize("function", ["cancel_all_queries", "abort_session"])
def test_another_users_session_is_the_administrators_alone(shared: LoadingServer, function: str) -> None:
    loader, administrator = shared.session(user="LOADER"), shared.session()
    number, own = administrator.connection.session_id, shared.session(user="LOADER").connection.session_id
    with pytest.raises(ProgrammingError, match="Insufficient privileges") as caught:
        loader.execute(f"select system${function}({number})")
    assert caught.value.errno == 3001
    loader.execute(f"select system${function}({own})")
    administrator.execute(f"select system${function}({loader.connection.session_id})")


def test_the_number_may_be_bound(shared: LoadingServer) -> None:
    cursor = shared.session(paramstyle="qmark")
    assert cursor.execute("select system$cancel_all_queries(?)", [7]).fetchone() == ("0 cancelled.",)
    with pytest.raises(ProgrammingError, match="Invalid argument"):
        cursor.execute("select system$abort_session(?)", ["all"])
