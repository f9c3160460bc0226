"""Loads as Airflow's loader makes them: fence, COPY, ledger, in one transaction."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from support import COPY_OPTIONS, Server

FENCE = "update fence set N = N + 1 where ID = 1"
COPY = f"copy into landed from @st/x/ {COPY_OPTIONS} files = ('f.parquet') force = true"
LEDGER = "insert into ledger values ('f')"
LOAD = ("begin", FENCE, COPY, LEDGER, "commit")
ROWS = 3
ABANDON_AFTER_SECONDS = 2


class LoadingServer(Server):
    """A server with a table, a fence, a ledger, and one staged file of three rows."""

    def __init__(self, folder: Path, *options: object) -> None:
        super().__init__(folder, "--abandon-after", ABANDON_AFTER_SECONDS, *options)

    def prepare(self) -> "LoadingServer":
        self.start()
        with self.connect() as connection:
            run = connection.cursor().execute
            run("create database if not exists T")
            run("create schema if not exists T.S")
            run("use schema T.S")
            run("create stage st")
            file = self.folder / "f.parquet"
            pq.write_table(pa.table({"id": pa.array(range(1, ROWS + 1), pa.int64())}), file)
            run(f"put file://{file} @st/x/ auto_compress=false")
        self.empty()
        return self

    def empty(self) -> None:
        """Nothing loaded; every other session must be at rest."""
        with self.connect(database="T", schema="S") as connection:
            run = connection.cursor().execute
            run("create or replace table landed (ID number(20, 0))")
            run("create or replace table ledger (FILE varchar not null)")
            run("create or replace table fence (ID number(1, 0), N number(20, 0))")
            run("insert into fence values (1, 0)")

    def counts(self) -> tuple[int, int, int]:
        """Rows, ledger rows, loads that the fence has counted."""
        with self.connect(database="T", schema="S") as connection:
            cursor = connection.cursor()
            cursor.execute("select (select count(*) from landed), (select count(*) from ledger), (select N from fence)")
            (counts,) = cursor.fetchall()
            return counts


def run_all(cursor: Any, *statements: str) -> None:
    for statement in statements:
        cursor.execute(statement)
