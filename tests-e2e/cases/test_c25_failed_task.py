"""C25: a capture whose task can't run is red, and neither a restart nor `bank up` says that it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.moves import moves, red
from harness.native_driver import NativeDriver

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

CAUSE = "is not permitted to log in"


@contextmanager
def _locked_out(stack: NativeDriver) -> Iterator[None]:
    """The replication role may not log in, and its session is ended."""
    with stack.postgres(role="postgres") as bank:
        bank.execute("alter role bank_replication nologin")
        bank.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'bank_replication'")
        try:
            yield
        finally:
            bank.execute("alter role bank_replication login")


def test_a_failed_task_is_never_said_to_run(native: NativeDriver) -> None:
    with _locked_out(native):
        restarted = native.run("connector", "restart")
        assert restarted.returncode == 1
        assert CAUSE in restarted.stderr
        red(native, CAUSE, seconds=30)
        started = native.run("up", "--only", "bank-postgres,kafka,registry,connect")
        assert started.returncode == 1
        assert CAUSE in started.stderr
    assert native.run("connector", "restart").returncode == 0
    moves(native, seconds=120)
