"""Runs the warehouse's plain Snowflake SQL (`infra/warehouse`): database objects, stage, ledgers, RAW tables, roles."""

from pathlib import Path
from typing import Final

from snowflake.connector import SnowflakeConnection
from snowflake.connector import errors as snowflake_errors

from bank_common import names
from bank_common.runtime.errors import PipelineError

_BEFORE_RAW: Final = ("01_database.sql", "02_load.sql")
_AFTER_RAW: Final = ("03_roles.sql",)


class WarehouseError(PipelineError):
    """The warehouse refused a statement."""


def files(folder: Path) -> tuple[Path, ...]:
    """The SQL files in the order in which they are run: tables exist before roles are granted access to them."""
    return (
        *(folder / "sql" / name for name in _BEFORE_RAW),
        *sorted((folder / "raw").glob("*.sql")),
        *(folder / "sql" / name for name in _AFTER_RAW),
    )


def ensure(connection: SnowflakeConnection, folder: Path) -> None:
    """Run every file. Each statement may be run again; RAW tables gain columns that their file has and they lack.

    Raises:
        WarehouseError: a statement failed; the message names its file.
    """
    for path in files(folder):
        try:
            # A generator: errors of a statement appear while it is advanced.
            for cursor in connection.execute_string(path.read_text(encoding="utf-8"), remove_comments=True):
                cursor.close()
            if path.name == _BEFORE_RAW[0]:
                connection.cursor().execute(f"USE DATABASE {names.WAREHOUSE_DATABASE}")
        except snowflake_errors.Error as error:
            raise WarehouseError(
                f"{path.name} failed in the warehouse: {error.msg or error}.",
                advice="The statements before it took effect; mend the cause and run `bank provision` again.",
            ) from error
