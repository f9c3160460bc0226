"""The Snowflake session of a task (adr/0001: the connector itself, not Airflow's hook)."""

from collections.abc import Generator
from contextlib import contextmanager

import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error as SnowflakeError

from bank_common.clients.snowflake import connection_arguments
from bank_common.runtime.settings import SnowflakeSettings
from bank_dags.loading.failures import LoadError, WarehouseFailed
from bank_dags.query_tag import QueryTag
from bank_dags.settings import STATEMENT_TIMEOUT_SECONDS


@contextmanager
def connect(
    settings: SnowflakeSettings,
    query_tag: QueryTag,
    lock_timeout_seconds: int,
    statement_timeout_seconds: int = STATEMENT_TIMEOUT_SECONDS,
) -> Generator[SnowflakeConnection]:
    """Open a key-pair session in schema RAW: UTC, autocommit, the given timeouts; closed at the end of the block.

    A statement that runs for longer ends with the warehouse's error 630, and its transaction is to be rolled back.

    Raises:
        LoadError: WarehouseFailed when it does not answer or refuses the login.
    """
    arguments = connection_arguments(settings) | {
        "schema": "RAW",
        "session_parameters": {
            "TIMEZONE": "UTC",
            "LOCK_TIMEOUT": lock_timeout_seconds,
            "STATEMENT_TIMEOUT_IN_SECONDS": statement_timeout_seconds,
            "QUERY_TAG": query_tag.text(),
            "CLIENT_TELEMETRY_ENABLED": False,
        },
    }
    try:
        connection = snowflake.connector.connect(**arguments)
    except (SnowflakeError, OSError) as error:
        detail = getattr(error, "msg", None) or str(error)
        raise LoadError(WarehouseFailed("logging in", detail)) from error
    try:
        yield connection
    finally:
        connection.close()
