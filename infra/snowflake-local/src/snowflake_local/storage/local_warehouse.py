"""The warehouse on disk: one DuckDB file per database, stages beside them; everything is there again after a kill."""

import shutil
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import duckdb
from fakesnow import info_schema, macros
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show

from snowflake_local.rewrite.memory import Memory
from snowflake_local.storage.results import LastResults
from snowflake_local.storage.stages import Stages

LOADED_FILES: Final = "_fs_information_schema._loaded_files"
"""Per database: what COPY has loaded, written in the same transaction as the rows."""


def database_sql(database: str) -> str:
    """The SQL that gives a database its information schema, macros and bookkeeping tables."""
    columns = "schema_name varchar, table_name varchar, file varchar, content_key varchar, loaded_at timestamptz"
    loaded_files = f'create table if not exists "{database}".{LOADED_FILES} ({columns})'
    return f"{info_schema.per_db_creation_sql(database)}; {loaded_files}; {macros.creation_sql(database)}"


class LocalWarehouse:
    """All databases below a folder, attached at start; with what all sessions share.

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
        self.folder = folder
        self.stages = Stages(folder / "stages")
        self.results = LastResults()
        self.plans = Memory()
        # DuckDB 2.0 advises another call for Arrow results of a cursor, which has no types of columns.
        warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)
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
        folder = self.folder
        self.duck = duckdb.connect(":memory:", config=settings)
        self.duck.execute(f"ATTACH '{folder}/_global.duckdb' AS {GLOBAL_DATABASE_NAME}")
        self.duck.execute(info_schema.fs_global_creation_sql())
        self.duck.execute(show.fs_global_creation_sql())
        self.duck.execute("SET GLOBAL TimeZone = 'UTC'")
        for file in sorted(folder.glob("*.db")):
            self.duck.execute(f"ATTACH '{file}' AS \"{file.stem}\"")
            self.duck.execute(database_sql(file.stem))
        self.stages.root.mkdir(exist_ok=True)
        # A client's SQL may read and write below the folder only, and can't change that.
        self.duck.execute("SET autoinstall_known_extensions = false")
        self.duck.execute("SET allowed_directories = ?", [[f"{folder}/"]])
        self.duck.execute("SET enable_external_access = false")

    def probe(self) -> None:
        """Ask the databases anything; raises when they do not answer."""
        with closing(self.duck.cursor()) as cursor:
            cursor.execute("select 1").fetchone()

    def forget(self, database: str, schema: str | None = None) -> None:
        """After a DROP of a database or schema: its file, its stages and their files, gone for the next start too."""
        with closing(self.duck.cursor()) as metadata:
            where, values = "where database_name = ?", [database]
            if schema is not None:
                where, values = f"{where} and schema_name = ?", [database, schema]
            metadata.execute(f"delete from {GLOBAL_DATABASE_NAME}._fs_information_schema._fs_stages {where}", values)
        shutil.rmtree(self.stages.root / database / (schema or ""), ignore_errors=True)
        if schema is None:
            (self.folder / f"{database}.db").unlink(missing_ok=True)
            (self.folder / f"{database}.db.wal").unlink(missing_ok=True)

    def close(self) -> None:
        """Checkpoint and close every file."""
        self.duck.close()
