"""`python -m loading_testing.killed POINT`: loads with the environment's settings and dies at the failpoint."""

import os
import signal
import sys

from bank_dags.loading.load import Loader
from bank_dags.loading.snowflake import SnowflakeWarehouse
from bank_dags.loading.store import S3Landing
from bank_dags.query_tag import QueryTag
from bank_dags.settings import BankDagsSettings, snowflake_settings
from bank_dags.snowflake_session import connect
from loading_testing.loading import LIMITS


def main(point: str) -> None:
    """Reaching the end is the caller's failed assertion."""
    settings = BankDagsSettings.load()

    def die(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    with connect(snowflake_settings(), QueryTag("test", "killed"), 60) as connection:
        landing = S3Landing(settings.store, settings.bucket)
        list(Loader(landing, SnowflakeWarehouse(connection), LIMITS, failpoint=die).run())


main(sys.argv[1])
