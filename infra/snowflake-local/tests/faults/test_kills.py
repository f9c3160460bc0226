"""A kill -9 of the server leaves everything that was committed, and nothing else."""

import random
import signal
import threading
import time

import pytest
from loads import COPY, LOAD, ROWS, LoadingServer, run_all
from snowflake.connector.errors import Error, ProgrammingError

KILLS = 4


def test_a_kill_between_copy_and_commit_leaves_nothing_and_what_was_committed_stays(loading: LoadingServer) -> None:
    cursor = loading.session()
    run_all(cursor, *LOAD)
    run_all(cursor, "begin", COPY)
    loading.stop(signal.SIGKILL)
    loading.start()
    assert loading.counts() == (ROWS, 1, 1)
    assert len(loading.session().execute("list @st/x/").fetchall()) == 1


def test_loads_are_whole_through_kills_at_any_moment(loading: LoadingServer) -> None:
    chance = random.Random(20261124)
    acknowledged, started = 0, threading.Event()

    def load_until_killed() -> None:
        nonlocal acknowledged
        try:
            cursor = loading.session(login_timeout=5, network_timeout=3)
            while True:
                run_all(cursor, *LOAD)
                acknowledged += 1
                started.set()
        except (Error, OSError):  # the connector passes some broken connections on as they are
            return

    for kill in range(KILLS):
        started.clear()
        loader = threading.Thread(target=load_until_killed)
        loader.start()
        assert started.wait(60), "no load was committed within 60 s"
        pause = threading.Event()
        pause.wait(chance.uniform(0, 0.4))  # the moment of the kill is the point
        loading.stop(signal.SIGKILL)
        loader.join(60)
        assert not loader.is_alive()
        loading.start()
        rows, ledger, fence = loading.counts()
        assert rows == ROWS * ledger
        assert fence == ledger
        # The last COMMIT of each life may have been done without its answer.
        assert acknowledged <= ledger <= acknowledged + kill + 1


def test_all_kinds_of_objects_are_there_again(loading: LoadingServer) -> None:
    cursor = loading.session()
    run_all(
        cursor,
        "create table t (a number(18, 2) not null comment 'the a', b timestamp_tz) comment = 'a table'",
        "insert into t values (1.10, null), (2.20, '2026-01-01 00:00:00+00:00')",
        "create view v as select sum(a) as s from t",
        "create schema T.OTHER",
        "create table T.OTHER.x as select 1 as a",
        "create database SECOND",
    )
    before = [cursor.execute(f"describe table T.S.{name}").fetchall() for name in ("T", "V")]
    loading.stop(signal.SIGKILL)
    loading.start()
    cursor = loading.session()
    assert [cursor.execute(f"describe table T.S.{name}").fetchall() for name in ("T", "V")] == before
    assert str(cursor.execute("select s from v").fetchone()[0]) == "3.30"
    assert cursor.execute("select a from T.OTHER.x").fetchall() == [(1,)]
    comment = "select comment from T.information_schema.tables where table_name = 'T'"
    assert cursor.execute(comment).fetchall() == [("a table",)]
    cursor.execute("create schema SECOND.S")


def test_what_was_dropped_stays_dropped(loading: LoadingServer) -> None:
    cursor = loading.connect().cursor()
    run_all(cursor, "create database GONE", "create schema GONE.S", "create stage GONE.S.ST", "drop database GONE")
    run_all(cursor, "create schema T.GONE", "create stage T.GONE.ST", "drop schema T.GONE cascade")
    loading.stop(signal.SIGKILL)
    loading.start()
    cursor = loading.connect().cursor()
    cursor.execute("show terse databases")
    names = {row[1] for row in cursor.fetchall()}
    assert "T" in names
    assert "GONE" not in names
    run_all(cursor, "create database GONE", "create schema GONE.S", "create schema T.GONE")
    for stage in ("GONE.S.ST", "T.GONE.ST"):
        with pytest.raises(ProgrammingError):
            cursor.execute(f"list @{stage}")


def test_a_session_of_before_the_restart_is_told_to_log_in_again(loading: LoadingServer) -> None:
    cursor = loading.session()
    cursor.execute("begin")
    loading.stop(signal.SIGKILL)
    loading.start()
    began = time.monotonic()
    with pytest.raises(Error) as caught:
        cursor.execute("select 1")
    assert caught.value.errno == 390111
    assert time.monotonic() - began < 10
