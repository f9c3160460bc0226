"""The warehouse's login, the same for every program. Imports no connector: what opens a session brings its own."""

from typing import Any

from bank_common.runtime.settings import SnowflakeSettings


def connection_arguments(settings: SnowflakeSettings) -> dict[str, Any]:
    """Give the keyword arguments of `snowflake.connector.connect` for a key-pair login: UTC, 30 s to log in."""
    arguments: dict[str, Any] = {
        "account": settings.account,
        "user": settings.user,
        "authenticator": "SNOWFLAKE_JWT",
        "private_key_file": str(settings.private_key_file),
        "role": settings.role,
        "warehouse": settings.warehouse,
        "database": settings.database,
        "session_parameters": {"TIMEZONE": "UTC"},
        "login_timeout": 30,
        # Otherwise each login asks the metadata services of three clouds where it runs.
        "platform_detection_timeout_seconds": 0.0,
    }
    if settings.host is not None:
        arguments |= {"host": settings.host, "port": settings.port, "protocol": settings.protocol}
    return arguments
