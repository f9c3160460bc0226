"""A home for Airflow, and settings, before anything imports it."""

import os
import tempfile
from pathlib import Path

from hypothesis import settings

# As for the workspace's projects: a property test has no deadline.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_HOME = tempfile.mkdtemp(prefix="bank-dags-tests-")
DAGS_FOLDER = Path(__file__).resolve().parents[1] / "dags"
os.environ |= {
    "AIRFLOW_HOME": _HOME,
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS_FOLDER),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME}/airflow.db",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "BANK_DAGS_STORE__ENDPOINT": "http://127.0.0.1:9",
    "BANK_DAGS_STORE__ACCESS_KEY": "unused",
    "BANK_DAGS_STORE__SECRET_KEY": "unused",
    "BANK_DAGS_STATE_DIR": f"{_HOME}/dbt",
    "BANK_DAGS_DBT_EXECUTABLE": f"{_HOME}/no-dbt",
    "BANK_DAGS_DBT_PROJECT_DIR": _HOME,
    "BANK_DAGS_LOAD_INTERVAL_SECONDS": "45",
}
