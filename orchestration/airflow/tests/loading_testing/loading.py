"""A load by hand, in this process or in one that dies at a failpoint."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bank_common.runtime.failpoints import FailpointHandler, no_failpoint
from bank_dags.adapters.landing import S3Landing
from bank_dags.adapters.snowflake.raw import SnowflakeWarehouse
from bank_dags.adapters.snowflake.session import connect
from bank_dags.loading.failpoints import Failpoint
from bank_dags.loading.load import Committed, Loader
from bank_dags.loading.load_plan import Halted, LoadLimits
from bank_dags.query_tag import QueryTag
from loading_testing.stack import Sandbox

LIMITS = LoadLimits(max_segments=1000, max_bytes=256 * 1024**2)


@contextmanager
def warehouse(sandbox: Sandbox, kind: type[SnowflakeWarehouse] = SnowflakeWarehouse) -> Iterator[SnowflakeWarehouse]:
    """The loader's session."""
    with connect(sandbox.loader, QueryTag("test", "test"), 60) as connection:
        yield kind(connection)


def run_load(
    sandbox: Sandbox, limits: LoadLimits = LIMITS, failpoint: FailpointHandler[Failpoint] = no_failpoint
) -> list[Committed]:
    """Run the load once; what it committed.

    Raises:
        LoadError: the first chain's, where one is halted.
    """
    committed, halted = run_with_halts(sandbox, limits, failpoint)
    for error in halted.values():
        raise error
    return committed


def run_with_halts(
    sandbox: Sandbox, limits: LoadLimits = LIMITS, failpoint: FailpointHandler[Failpoint] = no_failpoint
) -> tuple[list[Committed], Halted]:
    """Run the load once; what it committed, and the chains that stopped."""
    with warehouse(sandbox) as session:
        loader = Loader(S3Landing(sandbox.store_settings, sandbox.bucket), session, limits, failpoint=failpoint)
        return list(loader.run()), loader.halted


def run_killed_load(sandbox: Sandbox, failpoint: Failpoint) -> None:
    """Run the load in a process of its own that is killed with SIGKILL at a failpoint."""
    environment = os.environ | sandbox.environment | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "loading_testing.killed", failpoint.value],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
