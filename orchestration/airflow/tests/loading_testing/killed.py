"""`python -m loading_testing.killed FAILPOINT`: loads with the environment's settings and dies at the failpoint."""

import os
import signal
import sys

from bank_dags.adapters.landing import S3Landing
from bank_dags.adapters.snowflake.raw import SnowflakeWarehouse
from bank_dags.adapters.snowflake.session import connect
from bank_dags.loading.failpoints import Failpoint
from bank_dags.loading.load import Loader
from bank_dags.query_tag import QueryTag
from bank_dags.settings import BankDagsSettings, snowflake_settings
from loading_testing.loading import LIMITS


def main(failpoint: Failpoint) -> None:
    """Reaching the end is the caller's failed assertion."""
    settings = BankDagsSettings.load()

    def die(reached: Failpoint) -> None:
        if reached is failpoint:
            os.kill(os.getpid(), signal.SIGKILL)

    with connect(snowflake_settings(), QueryTag("test", "killed"), 60) as connection:
        landing = S3Landing(settings.store, settings.bucket)
        list(Loader(landing, SnowflakeWarehouse(connection), LIMITS, failpoint=die).run())


main(Failpoint(sys.argv[1]))
