"""`python -m bank_dags.scheduling`: Airflow's scheduler under its parent."""

import asyncio
import os
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from bank_common.runtime import logging
from bank_common.runtime.errors import PipelineError
from bank_dags.scheduling.housekeeping import keep_small
from bank_dags.scheduling.lifeline import Family
from bank_dags.scheduling.metadata import Metadata, dsn
from bank_dags.scheduling.parent import Home, Parent
from bank_dags.settings import BankDagsSettings

# Its log server would listen on every address; logs are read from the folder.
COMMAND = [sys.executable, "-m", "airflow", "scheduler", "--skip-serve-logs"]

IDLE_SLEEP = "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME"


def idle_sleep(target_lag_seconds: float) -> str:
    """Seconds between two turns of a scheduler that has nothing to do: each costs 20 statements and 20 ms of CPU.

    A triggered run waits for half of it. With a target lag that is part of the lag; without one every second counts.
    """
    return "1" if target_lag_seconds > 0 else "0.2"


def api_answers() -> bool:
    """Does the API server, which every task reports to, answer?"""
    from http.client import HTTPConnection, HTTPException

    server = urlsplit(os.environ.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:8080"))
    connection = HTTPConnection(server.hostname or "127.0.0.1", server.port or 80, timeout=5)
    try:
        connection.request("GET", "/api/v2/version")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    """Run until a signal or the scheduler's end; the exit code."""
    try:
        settings = BankDagsSettings.load()
        logging.configure("airflow-scheduler", settings.logging)
        home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()
        logs = Path(os.environ.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER", home / "logs"))
        os.environ.setdefault(IDLE_SLEEP, idle_sleep(settings.target_lag_seconds))
        family = Family()
        parent = Parent(
            COMMAND,
            family,
            Metadata(dsn()),
            Home(home),
            slots=int(os.environ.get("AIRFLOW__CORE__PARALLELISM", "32")),
            api_answers=api_answers,
            beside=partial(keep_small, family, timedelta(hours=settings.history_hours), logs),
        )
        return asyncio.run(parent.run())
    except PipelineError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
