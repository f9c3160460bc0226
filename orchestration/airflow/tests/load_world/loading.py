"""A load by hand, in this process or in one that dies at a checkpoint."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bank_dags.loading.load import Committed, Loader
from bank_dags.loading.plan import Halted, Limits
from bank_dags.loading.ports import Checkpoint
from bank_dags.loading.snowflake import SnowflakeWarehouse
from bank_dags.loading.store import S3Landing
from bank_dags.origin import Origin
from bank_dags.warehouse import connect
from load_world.stack import World

LIMITS = Limits(max_segments=1000, max_bytes=256 * 1024**2)


@contextmanager
def warehouse(world: World, kind: type[SnowflakeWarehouse] = SnowflakeWarehouse) -> Iterator[SnowflakeWarehouse]:
    """The loader's session."""
    with connect(world.loader, Origin("test", "test"), 60) as connection:
        yield kind(connection)


def run_load(world: World, limits: Limits = LIMITS, checkpoint: Checkpoint = lambda _point: None) -> list[Committed]:
    """One run of the load; what it committed.

    Raises:
        LoadError: the first chain's, where one is halted.
    """
    committed, halted = run_with_halts(world, limits, checkpoint)
    for error in halted.values():
        raise error
    return committed


def run_with_halts(
    world: World, limits: Limits = LIMITS, checkpoint: Checkpoint = lambda _point: None
) -> tuple[list[Committed], Halted]:
    """One run of the load; what it committed, and the chains that stopped."""
    with warehouse(world) as session:
        loader = Loader(S3Landing(world.store_settings, world.bucket), session, limits, checkpoint=checkpoint)
        return list(loader.run()), loader.halted


def run_killed_load(world: World, point: str) -> None:
    """One run in a process of its own that is killed with SIGKILL at a checkpoint."""
    environment = os.environ | world.environment | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "load_world.killed", point], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
