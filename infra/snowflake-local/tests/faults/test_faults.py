"""What must survive: kill -9, dead clients, two sessions at once; who may log in."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector
from snowflake.connector.errors import DatabaseError, OperationalError, ProgrammingError
from support import COPY_OPTIONS, Server

COPY = f"copy into landed from @st/x/ {COPY_OPTIONS} files = ('f.parquet') force = true"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path).start()
    with server.connect() as connection:
        run = connection.cursor().execute
        run("create database if not exists T")
        run("create schema if not exists T.S")
        run("use schema T.S")
        run("create table landed (ID number(20, 0))")
        run("create table ledger (FILE varchar not null)")
        run("create table fence (ID number(1, 0), N number(20, 0))")
        run("insert into fence values (1, 0)")
        run("create stage st")
        pq.write_table(pa.table({"id": pa.array([1, 2, 3], pa.int64())}), tmp_path / "f.parquet")
        run(f"put file://{tmp_path / 'f.parquet'} @st/x/ auto_compress=false")
    yield server
    if server.process is not None and server.process.poll() is None:
        server.stop()


def _session(server: Server, **overrides: Any) -> Any:
    return server.connect(database="T", schema="S", **overrides).cursor()


def _counts(server: Server) -> tuple[int, int]:
    cursor = _session(server)
    one = lambda table: cursor.execute(f"select count(*) from {table}").fetchone()[0]  # noqa: E731
    found = (one("landed"), one("ledger"))
    cursor.connection.close()
    return found


def test_a_kill_between_copy_and_commit_leaves_nothing_and_what_was_committed_stays(own: Server) -> None:
    cursor = _session(own)
    for statement in ("begin", COPY, "insert into ledger values ('f')", "commit", "begin", COPY):
        cursor.execute(statement)
    own.stop(signal.SIGKILL)
    own.start()
    assert _counts(own) == (3, 1)
    assert len(_session(own).execute("list @st/x/").fetchall()) == 1


def test_a_closed_session_is_rolled_back(own: Server) -> None:
    cursor = _session(own)
    cursor.execute("begin")
    cursor.execute(COPY)
    cursor.connection.close()
    assert _counts(own) == (0, 0)


def test_a_failed_statement_fails_the_whole_transaction(own: Server) -> None:
    cursor = _session(own)
    cursor.execute("begin")
    cursor.execute(COPY)
    with pytest.raises(DatabaseError) as refused:
        cursor.execute("insert into ledger values (null)")
    assert refused.value.errno == 100072
    with pytest.raises(ProgrammingError):
        cursor.execute("commit")
    assert _counts(own) == (0, 0)
    cursor.execute("begin")
    cursor.execute(COPY)
    cursor.execute("commit")
    assert _counts(own) == (3, 0)


def test_a_second_writer_waits_for_the_first_one(own: Server) -> None:
    first, second = _session(own), _session(own)
    first.execute("begin")
    first.execute("update fence set N = N + 1 where ID = 1")
    done: list[float] = []

    def wait() -> None:
        second.execute("begin")
        second.execute("update fence set N = N + 1 where ID = 1")
        second.execute("commit")
        done.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(1.0)
    assert thread.is_alive(), "the second writer did not wait"
    first.execute("commit")
    committed = time.monotonic()
    thread.join(20)
    assert done
    assert done[0] >= committed
    assert _session(own).execute("select N from fence").fetchone()[0] == 2


def test_waiting_ends_after_the_sessions_lock_timeout(own: Server) -> None:
    first, second = _session(own), _session(own)
    first.execute("begin")
    first.execute("update fence set N = 1")
    second.execute("alter session set LOCK_TIMEOUT = 1")
    with pytest.raises(ProgrammingError) as caught:
        second.execute("update fence set N = 2")
    assert caught.value.errno == 625
    first.execute("rollback")
    second.execute("update fence set N = 2")


def test_a_dead_clients_transaction_gives_its_lock_back(own: Server) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); import snowflake.connector as c\n"
        "s = c.connect(account='local', user='TESTER', authenticator='SNOWFLAKE_JWT', private_key_file=sys.argv[2],"
        " host='127.0.0.1', port=int(sys.argv[3]), protocol='http', database='T', schema='S').cursor()\n"
        "s.execute('begin'); s.execute('update fence set N = 99'); os._exit(9)"
    )
    arguments = [str(Path(__file__).parents[1]), str(own.key_file), str(own.port)]
    dead = subprocess.run([sys.executable, "-c", code, *arguments], env=os.environ, check=False, timeout=60)
    assert dead.returncode == 9
    alive = _session(own)
    alive.execute("alter session set LOCK_TIMEOUT = 60")
    alive.execute("update fence set N = N + 1")
    assert alive.execute("select N from fence").fetchone()[0] == 1


def test_sigterm_ends_it_cleanly(own: Server) -> None:
    _session(own).execute("insert into ledger values ('kept')")
    assert own.stop(signal.SIGTERM) == 0
    own.start()
    assert _counts(own) == (0, 1)


def test_only_the_right_key_logs_in(own: Server, tmp_path: Path) -> None:
    with pytest.raises((DatabaseError, OperationalError)):
        own.connect(user="SOMEBODY")
    (tmp_path / "other").mkdir()
    other = Server(tmp_path / "other")
    with pytest.raises((DatabaseError, OperationalError)):
        own.connect(private_key_file=str(other.key_file))
    with pytest.raises((DatabaseError, OperationalError)):
        snowflake.connector.connect(
            account="local",
            user="TESTER",
            password="x",
            host="127.0.0.1",
            port=own.port,
            protocol="http",
            login_timeout=5,
        )
