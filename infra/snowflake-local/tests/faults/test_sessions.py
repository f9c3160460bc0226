"""Two sessions at once, dead clients, living ones that were taken for dead, cancelled statements."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from loads import ABANDON_AFTER_SECONDS, COPY, FENCE, LEDGER, LOAD, ROWS, LoadingServer, run_all
from snowflake.connector.errors import DatabaseError, Error, ProgrammingError


@pytest.fixture(autouse=True)
def _empty(shared: LoadingServer) -> None:
    shared.empty()


def _until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {seconds} s")


def test_a_closed_session_is_rolled_back_at_once(shared: LoadingServer) -> None:
    cursor = shared.session()
    run_all(cursor, "begin", FENCE, COPY, LEDGER)
    cursor.connection.close()
    run_all(shared.session(session_parameters={"LOCK_TIMEOUT": 0}), FENCE)
    assert shared.counts() == (0, 0, 1)


def test_a_failed_statement_fails_the_whole_transaction(shared: LoadingServer) -> None:
    cursor = shared.session()
    run_all(cursor, "begin", COPY)
    with pytest.raises(DatabaseError) as refused:
        cursor.execute("insert into ledger values (null)")
    assert refused.value.errno == 100072
    for statement in (COPY, "begin", "create table never (a number(1, 0))", "commit"):
        with pytest.raises(ProgrammingError, match="rolled back"):
            cursor.execute(statement)
    assert shared.counts() == (0, 0, 0)
    run_all(cursor, *LOAD)
    assert shared.counts() == (ROWS, 1, 1)


def test_a_second_writer_waits_for_the_first_one(shared: LoadingServer) -> None:
    first, second = shared.session(), shared.session()
    run_all(first, "begin", FENCE)
    done: list[float] = []

    def wait() -> None:
        run_all(second, "begin", "select count(*) from ledger", FENCE)  # it has read before: still no conflict
        done.append(time.monotonic())
        second.execute("commit")

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(0.7)
    assert thread.is_alive(), "the second writer did not wait"
    run_all(first, LEDGER, "commit")
    committed = time.monotonic()
    thread.join(20)
    assert done
    assert done[0] >= committed - 0.1  # the answer to COMMIT travels while the other one goes on
    assert shared.counts() == (0, 1, 2)


def test_who_waited_sees_what_the_other_one_did(shared: LoadingServer) -> None:
    """M4: the ledger is read again behind the fence."""
    first, second = shared.session(), shared.session()
    run_all(second, "begin", "select count(*) from ledger")
    run_all(first, *LOAD)
    second.execute(FENCE)
    assert second.execute("select count(*) from ledger").fetchone() == (1,)
    second.execute("rollback")


def test_many_sessions_count_to_the_right_number(shared: LoadingServer) -> None:
    sessions, loads = 6, 5
    failed: list[Exception] = []

    def load(cursor: Any) -> None:
        try:
            for _ in range(loads):
                run_all(cursor, *LOAD)
        except Error as error:
            failed.append(error)

    threads = [threading.Thread(target=load, args=(shared.session(),)) for _ in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert shared.counts() == (ROWS * sessions * loads, sessions * loads, sessions * loads)


def test_four_sessions_make_tables_as_dbt_does(shared: LoadingServer) -> None:
    failed: list[Exception] = []

    def build(cursor: Any, thread: int) -> None:
        try:
            for round_ in range(4):
                table = f"T.S.model_{thread}"
                run_all(
                    cursor,
                    f"create or replace transient table {table} as (select {round_} as a)",
                    f"create or replace temporary table {table}__dbt_tmp as (select {round_ + 1} as a)",
                    "show objects in schema T.S limit 10000",
                    f"describe table {table}",
                    "begin",
                    f"merge into {table} t using {table}__dbt_tmp s on t.a = s.a when not matched then insert (a)"
                    " values (s.a)",
                    "commit",
                    f"create or replace view T.S.view_{thread} as (select a from {table})",
                    f"drop table if exists {table}__dbt_tmp cascade",
                )
        except Error as error:
            failed.append(error)

    threads = [threading.Thread(target=build, args=(shared.session(), number)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    for number in range(4):
        assert shared.session().execute(f"select count(*) from view_{number}").fetchone() == (2,)


def test_waiting_ends_after_the_sessions_lock_timeout(shared: LoadingServer) -> None:
    first, second = shared.session(), shared.session()
    run_all(first, "begin", FENCE)
    second.execute("alter session set LOCK_TIMEOUT = 1, QUERY_TAG = 'x'")
    with pytest.raises(ProgrammingError) as caught:
        second.execute(FENCE)
    assert caught.value.errno == 625
    first.execute("rollback")
    second.execute(FENCE)


def test_two_that_wait_for_each_other_do_not_wait_for_ever(shared: LoadingServer) -> None:
    one, other = shared.session(), shared.session()
    run_all(one, "begin", FENCE)
    run_all(other, "begin", "update ledger set FILE = 'x'")
    crossed = {one: "update ledger set FILE = 'y'", other: FENCE}
    with ThreadPoolExecutor(2) as pool:
        # Whichever comes second closes the circle, is told so and gives way to the other one.
        outcomes = {
            cursor: pool.submit(_commit_or_give_way, cursor, statement) for cursor, statement in crossed.items()
        }
        assert sorted(outcome.result(timeout=20) for outcome in outcomes.values()) == ["Deadlock", "committed"]
    assert shared.counts()[2] == 1


def _commit_or_give_way(cursor: Any, statement: str) -> str:
    try:
        run_all(cursor, statement, "commit")
    except ProgrammingError as error:
        cursor.execute("rollback")
        return "Deadlock" if "Deadlock" in str(error) else str(error)
    return "committed"


def test_a_dead_clients_transaction_gives_its_lock_back(shared: LoadingServer) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); import snowflake.connector as c\n"
        "s = c.connect(account='local', user='TESTER', authenticator='SNOWFLAKE_JWT', private_key_file=sys.argv[2],"
        " host='127.0.0.1', port=int(sys.argv[3]), protocol='http', database='T', schema='S').cursor()\n"
        "s.execute('begin'); s.execute('update fence set N = 99'); os._exit(9)"
    )
    arguments = [str(Path(__file__).parents[1]), str(shared.key_file), str(shared.port)]
    dead = subprocess.run([sys.executable, "-c", code, *arguments], env=os.environ, check=False, timeout=60)
    assert dead.returncode == 9
    alive = shared.session(session_parameters={"LOCK_TIMEOUT": 60})
    alive.execute(FENCE)
    assert shared.counts() == (0, 0, 1)


def test_a_living_client_that_was_taken_for_dead_can_not_go_on_halfway(shared: LoadingServer) -> None:
    """It was silent for too long with the fence: nothing that it does afterwards may count."""
    slow, other = shared.session(), shared.session()
    run_all(slow, "begin", FENCE, COPY)
    began = time.monotonic()
    run_all(other, *LOAD)
    assert time.monotonic() - began >= ABANDON_AFTER_SECONDS - 1
    for statement in (LEDGER, COPY, "commit"):
        with pytest.raises(ProgrammingError, match="rolled back"):
            slow.execute(statement)
    assert shared.counts() == (ROWS, 1, 1)
    run_all(slow, *LOAD)
    assert shared.counts() == (2 * ROWS, 2, 2)


def test_a_client_that_waits_is_not_taken_for_dead(shared: LoadingServer) -> None:
    """Whoever waits for a lock is at work, for longer than a dead client may be silent."""
    first, second, third = shared.session(), shared.session(), shared.session()
    run_all(first, "begin", FENCE)
    run_all(second, "begin", "update ledger set FILE = 'x'")
    waiting = threading.Thread(target=run_all, args=(second, FENCE, LEDGER, "commit"))
    waiting.start()
    ended = threading.Event()

    def talk() -> None:
        while not ended.wait(0.2):
            first.execute("select 1")

    talking = threading.Thread(target=talk)
    talking.start()
    third.execute(f"alter session set LOCK_TIMEOUT = {2 * ABANDON_AFTER_SECONDS}")
    with pytest.raises(ProgrammingError) as caught:
        third.execute("update ledger set FILE = 'y'")
    ended.set()
    talking.join(20)
    assert caught.value.errno == 625
    first.execute("rollback")
    waiting.join(20)
    assert not waiting.is_alive()
    assert shared.counts() == (0, 1, 1)


def test_a_statement_is_cancelled_by_its_clients_timeout(shared: LoadingServer) -> None:
    first, second = shared.session(), shared.session()
    run_all(first, "begin", FENCE)
    began = time.monotonic()
    with pytest.raises(ProgrammingError):
        second.execute(FENCE, timeout=1)
    assert time.monotonic() - began < 15
    first.execute("commit")
    second.execute("select 1")
    assert shared.counts()[2] == 1


def test_a_long_query_is_cancelled(shared: LoadingServer) -> None:
    cursor = shared.session()
    began = time.monotonic()
    with pytest.raises(ProgrammingError):
        cursor.execute("select count(*) from range(4000000) a, range(4000000) b", timeout=1)
    assert time.monotonic() - began < 20
    assert cursor.execute("select 1").fetchone() == (1,)


def test_temporary_tables_end_with_their_session(shared: LoadingServer) -> None:
    cursor = shared.session()
    run_all(cursor, "create or replace temporary table T.S.mine as select 1 as a")
    assert cursor.execute("select a from T.S.mine").fetchall() == [(1,)]
    cursor.connection.close()
    other = shared.session()
    _until(lambda: not other.execute("show tables like 'MINE' in schema T.S").fetchall())


def test_autocommit_off_keeps_what_is_committed_only(shared: LoadingServer) -> None:
    with shared.connect(database="T", schema="S", autocommit=False) as connection:
        connection.cursor().execute(LEDGER)
        connection.commit()
        connection.cursor().execute(LEDGER)
        connection.rollback()
        run_all(connection.cursor(), "begin", LEDGER, LEDGER, "commit")
    assert shared.counts() == (0, 3, 0)
