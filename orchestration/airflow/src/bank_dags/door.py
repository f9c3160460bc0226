"""The one door for builds: DAG, hand and CD come through here (composition root)."""

import os
import socket
from contextlib import AbstractContextManager
from typing import Final

from bank_dags.building.build import Choice, build_marts
from bank_dags.building.dbt import Dbt
from bank_dags.building.fence import Hold, Holder, held
from bank_dags.building.lock import build_lock
from bank_dags.building.results import BuildResults
from bank_dags.query_tag import QueryTag
from bank_dags.settings import BuildSettings, builder_login

LOCK_SECONDS: Final = 60
"""How long a statement on the fence's row waits for another one."""


def build(settings: BuildSettings, query_tag: QueryTag, choice: Choice, wait_seconds: float) -> BuildResults | None:
    """Build once; None when no build was pending. Waits at most `wait_seconds` for another build's end.

    Raises:
        FenceHeldError: another build is still running.
        PipelineError: with the failing nodes, or what else went wrong; the build stays pending.
    """
    # dbt imports while this process imports its own heavy clients.
    with build_lock(settings.state_dir) as lock, Dbt.of(settings).started(lock) as started:
        from bank_dags.adapters.snowflake.builds import SnowflakeFence
        from bank_dags.adapters.snowflake.raw import SnowflakeWarehouse
        from bank_dags.adapters.snowflake.session import connect

        holder = Holder(f"{query_tag.dag} {query_tag.run} on {socket.gethostname()}, process {os.getpid()}", lock.name)
        with connect(builder_login(settings), query_tag, LOCK_SECONDS) as connection:

            def hold() -> AbstractContextManager[Hold]:
                return held(SnowflakeFence(connection), holder, wait_seconds)

            return build_marts(SnowflakeWarehouse(connection), hold, started, query_tag.run, choice)
