"""`make benchmark-statements`: what the statements cost that loads and builds send most, through the real connector.

With `--before SOURCE` each is measured on two servers in turn, the other one running the sources of another commit
(`git worktree add /tmp/before COMMIT`, SOURCE is infra/snowflake-local/src in there), and the ratio is printed.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from support import COPY_OPTIONS, Server

FILES = 100
ROWS = ", ".join(f"({number}, 'name {number}', {number}.25, NULL)" for number in range(500))
COLUMNS = ", ".join(f"c{number} number(18, 2)" for number in range(12))
QUERY = (
    "with ranked as (select id, name, amount, row_number() over (partition by id order by amount desc) as place "
    "from landed qualify place = 1) select r.id, r.name, coalesce(sum(r.amount), 0) as total from ranked r "
    "left join wide w on w.c0 = r.id where r.name ilike 'n%' and r.id <> {0} group by r.id, r.name order by total"
)
NAMED = ", ".join(f"'{number:05}.parquet'" for number in range(FILES))
STATEMENTS: dict[str, str] = {
    "COPY of 100 files": f"copy into landed from @st/x/ files = ({NAMED}) {COPY_OPTIONS} force = true",
    "PUT of 100 files": "put 'file://{files}/*.parquet' @st/x/ overwrite = true auto_compress = false "
    "source_compression = none parallel = 4",
    "INSERT of 500 rows": f"insert into many values {ROWS}",
    "INSERT of a row, another each time": "insert into many values ({number}, 'it is', 1.5, null)",
    "UPDATE of the fence": "update fence set n = n + 1 where id = 1",
    "SELECT, the same": QUERY.format(0),
    "SELECT, another each time": QUERY.format("{number}"),
    "DESCRIBE TABLE": "describe table B.S.wide",
    "SHOW OBJECTS": "show objects in B.S limit 10000",
    "CREATE TABLE AS, another each time": "create or replace transient table built as "
    "(select id, name, amount + {number} as amount from landed limit 10)",
    "MERGE": "merge into fence t using (select 1 id, 2 n) s on t.id = s.id when matched then update set n = s.n "
    "when not matched then insert (id, n) values (s.id, s.n)",
    "ALTER SESSION": "alter session set query_tag = 'a tag {number}'",
}


class Sourced(Server):
    """A server on sources that are named."""

    def __init__(self, folder: Path, source: Path) -> None:
        super().__init__(folder)
        self.source = source

    def launch(self, *more: object) -> "subprocess.Popen[bytes]":
        os.environ["PYTHONPATH"] = str(self.source)
        try:
            return super().launch(*more)
        finally:
            del os.environ["PYTHONPATH"]


@contextmanager
def server(source: Path) -> Iterator[Any]:
    """A cursor on a server of these sources, with what the statements need."""
    with tempfile.TemporaryDirectory() as folder:
        running = Sourced(Path(folder), source).start()
        try:
            cursor = running.connect().cursor()
            for statement in (
                "create database B",
                "create schema B.S",
                "create stage st",
                "create table landed (id number(20, 0), name varchar, amount number(18, 2))",
                "create table many (id number(20, 0), name varchar, amount number(18, 2), more varchar)",
                "create table fence (id number(1, 0), n number(20, 0))",
                "insert into fence values (1, 0)",
                f"create table wide ({COLUMNS})",
            ):
                cursor.execute(statement)
            yield cursor
        finally:
            running.end()


def files(folder: Path) -> None:
    """Small segments, as loads find them."""
    table = pa.table({"id": pa.array(range(5), pa.int64()), "name": ["a"] * 5})
    for number in range(FILES):
        pq.write_table(table, folder / f"{number:05}.parquet")


def seconds(cursor: Any, statement: str) -> float:
    """Of one statement, its rows fetched."""
    start = time.perf_counter()
    cursor.execute(statement)
    if not statement.startswith("put"):
        cursor.fetchall()
    return time.perf_counter() - start


def main() -> None:
    """Print a line for each statement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--before", type=Path, help="sources to compare with")
    asked = options.parse_args()
    sources = [
        Path(__file__).resolve().parents[2] / "infra" / "snowflake-local" / "src",
        *([asked.before.resolve()] if asked.before else []),
    ]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files(folder)
        cursors = [stack.enter_context(server(source)) for source in sources]
        names = ["PUT of 100 files", *(name for name in STATEMENTS if name != "PUT of 100 files")]
        print(f"{'milliseconds in median':38}{'now':>10}" + (f"{'before':>10}{'ratio':>8}" if asked.before else ""))
        for name in names:
            counter = iter(range(10_000_000))
            taken: list[list[float]] = [[] for _ in cursors]
            turns = list(zip(taken, cursors, strict=True))
            for _ in range(asked.rounds):
                for own, cursor in turns:
                    number = next(counter)
                    text = STATEMENTS[name].replace("{number}", str(number)).replace("{files}", str(folder))
                    own.append(seconds(cursor, text))
                turns.reverse()
            medians = [statistics.median(own[1:]) * 1000 for own in taken]
            line = f"{name:38}" + "".join(f"{median:10.2f}" for median in medians)
            print(line + (f"{medians[0] / medians[1]:8.2f}" if asked.before else ""))


if __name__ == "__main__":
    main()
