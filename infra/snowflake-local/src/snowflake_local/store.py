"""The warehouse on disk: one DuckDB file per database, stages beside them; everything is there again after a kill."""

from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

import duckdb
from fakesnow import info_schema, macros
from fakesnow.instance import GLOBAL_DATABASE_NAME, FakeSnow
from fakesnow.transforms import show, stage

from snowflake_local.sql.commands import NO_OPERATION
from snowflake_local.tx import TableLocks

LOADED_FILES: Final = "_fs_information_schema._loaded_files"
"""Per database: what COPY has loaded, written in the same transaction as the rows."""
_CACHED_RESULTS: Final = 200
_upstream_database_sql = info_schema.per_db_creation_sql


class _BoundedResults(OrderedDict[str, tuple[Any, ...]]):
    """Upstream keeps every result for the life of the server."""

    def __setitem__(self, key: str, value: tuple[Any, ...]) -> None:
        super().__setitem__(key, value)
        while len(self) > _CACHED_RESULTS:
            self.popitem(last=False)


def database_sql(database: str) -> str:
    """What every database gets beside its own tables."""
    columns = "schema_name varchar, table_name varchar, file varchar, content_key varchar, loaded_at timestamptz"
    return f'{_upstream_database_sql(database)}; create table if not exists "{database}".{LOADED_FILES} ({columns})'


class Warehouse(FakeSnow):
    """All databases below a folder, attached at start.

    Args:
        folder: where the files lie; made when missing.
        memory_limit: DuckDB's, e.g. "256MB".
        threads: DuckDB's.
    """

    def __init__(self, folder: Path, *, memory_limit: str = "512MB", threads: int = 2) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.create_database_on_connect = self.create_schema_on_connect = False
        self.db_path = folder
        self.nop_regexes = list(NO_OPERATION)
        self.results_cache = _BoundedResults()
        self.locks = TableLocks()
        settings = {"lambda_syntax": "ENABLE_SINGLE_ARROW", "memory_limit": memory_limit, "threads": str(threads)}
        self.duck_conn = duckdb.connect(":memory:", config=settings)
        self.duck_conn.execute(f"ATTACH '{folder}/_global.duckdb' AS {GLOBAL_DATABASE_NAME}")
        self.duck_conn.execute(info_schema.fs_global_creation_sql())
        self.duck_conn.execute(show.fs_global_creation_sql())
        self.duck_conn.execute("SET GLOBAL TimeZone = 'UTC'")
        for file in sorted(folder.glob("*.db")):
            self.duck_conn.execute(f"ATTACH '{file}' AS \"{file.stem}\"")
            self.duck_conn.execute(database_sql(file.stem))
            self.duck_conn.execute(macros.creation_sql(file.stem))
        stages = folder / "stages"
        stages.mkdir(exist_ok=True)
        stage.LOCAL_BUCKET_PATH = str(stages.resolve())

    def connect(self, database: str | None = None, schema: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """A session; see `snowflake_local.session`."""
        from snowflake_local.session import Session

        return Session(self, database, schema, *args, **kwargs)

    def close(self) -> None:
        """Checkpoint and close every file."""
        self.duck_conn.close()
