"""The warehouse on disk: one DuckDB file per database, stages beside them; everything is there again after a kill."""

import shutil
import threading
from collections import OrderedDict
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import duckdb
from fakesnow import info_schema, macros
from fakesnow.instance import GLOBAL_DATABASE_NAME, FakeSnow
from fakesnow.transforms import show, stage

from snowflake_local.locks import TableLocks
from snowflake_local.sql.commands import NO_OPERATION
from snowflake_local.sql.parsing import Rewritten

LOADED_FILES: Final = "_fs_information_schema._loaded_files"
"""Per database: what COPY has loaded, written in the same transaction as the rows."""
_CACHED_RESULTS: Final = 100
_CACHED_BYTES: Final = 32 * 1024 * 1024
_upstream_database_sql = info_schema.per_db_creation_sql


class _BoundedResults(OrderedDict[str, tuple[Any, ...]]):
    """Upstream keeps every result for the life of the server; here the last ones, for RESULT_SCAN."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0
        self._lock = threading.Lock()

    def __setitem__(self, key: str, value: tuple[Any, ...]) -> None:
        """Each key is new: it is a statement's id."""
        with self._lock:
            super().__setitem__(key, value)
            self._bytes += _size(value)
            while len(self) > _CACHED_RESULTS or (len(self) > 1 and self._bytes > _CACHED_BYTES):
                self._bytes -= _size(self.popitem(last=False)[1])


def _size(value: tuple[Any, ...]) -> int:
    return value[0].nbytes if value[0] is not None else 0


def database_sql(database: str) -> str:
    """The SQL that gives a database its information schema and bookkeeping tables."""
    columns = "schema_name varchar, table_name varchar, file varchar, content_key varchar, loaded_at timestamptz"
    return f'{_upstream_database_sql(database)}; create table if not exists "{database}".{LOADED_FILES} ({columns})'


class LocalWarehouse(FakeSnow):
    """All databases below a folder, attached at start.

    Clients get a `snowflake_local.session.Session` of it, never one of upstream's `connect()`.

    Args:
        folder: where the files lie; made when missing.
        memory_limit: DuckDB's, e.g. "256MB".
        threads: DuckDB's.

    Raises:
        ValueError: a database can't be opened.
    """

    def __init__(self, folder: Path, *, memory_limit: str = "256MB", threads: int = 2) -> None:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        self.create_database_on_connect = self.create_schema_on_connect = False
        self.db_path = folder
        self.nop_regexes = list(NO_OPERATION)
        self.results_cache = _BoundedResults()
        self.locks = TableLocks()
        self.rewritten = Rewritten()
        settings: dict[str, Any] = {
            "lambda_syntax": "ENABLE_SINGLE_ARROW",
            "memory_limit": memory_limit,
            "threads": str(threads),
            "temp_directory": str(folder / "spill"),
        }
        try:
            self._open(settings)
        except duckdb.IOException as error:
            text = f"the databases in {folder} can't be opened (is another server using them?): {error}"
            raise ValueError(text) from error

    def _open(self, settings: dict[str, Any]) -> None:
        folder = self.db_path
        self.duck_conn = duckdb.connect(":memory:", config=settings)
        self.duck_conn.execute(f"ATTACH '{folder}/_global.duckdb' AS {GLOBAL_DATABASE_NAME}")
        self.duck_conn.execute(info_schema.fs_global_creation_sql())
        self.duck_conn.execute(show.fs_global_creation_sql())
        self.duck_conn.execute("SET GLOBAL TimeZone = 'UTC'")
        for file in sorted(folder.glob("*.db")):
            self.duck_conn.execute(f"ATTACH '{file}' AS \"{file.stem}\"")
            self.duck_conn.execute(database_sql(file.stem))
            self.duck_conn.execute(macros.creation_sql(file.stem))
        self.stages = folder / "stages"
        self.stages.mkdir(exist_ok=True)
        stage.LOCAL_BUCKET_PATH = str(self.stages.resolve())
        # A client's SQL may read and write below the folder only, and can't change that.
        self.duck_conn.execute("SET autoinstall_known_extensions = false")
        self.duck_conn.execute("SET allowed_directories = ?", [[f"{folder}/"]])
        self.duck_conn.execute("SET enable_external_access = false")

    def probe(self) -> None:
        """Ask the databases anything; raises when they do not answer."""
        with closing(self.duck_conn.cursor()) as cursor:
            cursor.execute("select 1").fetchone()

    def forget(self, database: str, schema: str | None = None) -> None:
        """After a DROP of a database or schema: its file, its stages and their files, gone for the next start too."""
        with closing(self.duck_conn.cursor()) as metadata:
            where, values = "where database_name = ?", [database]
            if schema is not None:
                where, values = f"{where} and schema_name = ?", [database, schema]
            metadata.execute(f"delete from {GLOBAL_DATABASE_NAME}._fs_information_schema._fs_stages {where}", values)
        shutil.rmtree(self.stages / database / (schema or ""), ignore_errors=True)
        if schema is None:
            (self.db_path / f"{database}.db").unlink(missing_ok=True)
            (self.db_path / f"{database}.db.wal").unlink(missing_ok=True)

    def close(self) -> None:
        """Checkpoint and close every file."""
        self.duck_conn.close()
