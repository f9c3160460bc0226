"""Preloads in the scheduler, before it forks, what every task imports: a task starts with it already there."""

import importlib
from typing import Final

MODULES: Final = (
    # What Airflow's own side of a task imports when the task starts.
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk._shared.logging.factory",
    "airflow.sdk.definitions.connection",
    "airflow.providers.standard.decorators.python",
    "setproctitle",
    # What load and build import.
    "bank_dags.tasks",
    "bank_dags.loading.load",
    "bank_dags.adapters.snowflake.raw",
    "bank_dags.adapters.landing",
    "bank_dags.door",
    "bank_dags.adapters.snowflake.builds",
    "bank_dags.adapters.snowflake.session",
    "cryptography.hazmat.backends.openssl.backend",
    "obstore",
    "snowflake.connector",
)


def preload() -> None:
    """Import them. None of them starts a thread or opens a connection, which a fork would not carry along."""
    for module in MODULES:
        importlib.import_module(module)
