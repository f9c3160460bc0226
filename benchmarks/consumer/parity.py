"""What landed, read back without any code of the consumer, and compared."""

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from bankctl.stack.stack import Stack

pc: Any = compute  # its functions are made at import, unseen by stubs

STATE: Final = ("id", "amount", "status", "txn_type")


class Summary(NamedTuple):
    """Rows, the sum of all money that was written, and the last state of each key that was not deleted."""

    rows: int
    money: Decimal
    states: dict[int, tuple[Any, ...]]


def objects(stack: Stack, bucket: str, topic: str) -> Iterator[tuple[str, bytes]]:
    """A topic's objects, in the order of their names."""
    store = stack.object_store()
    for entry in store.list_objects(bucket, f"{topic}/", recursive=True):
        answer = store.get_object(bucket, entry.object_name)
        try:
            yield entry.object_name, answer.read()
        finally:
            answer.close()
            answer.release_conn()


def summary(stack: Stack, bucket: str, topic: str) -> Summary:
    """Read everything back."""
    columns = [*STATE, "_cdc_op", "_cdc_partition", "_cdc_offset"]
    tables = [pq.read_table(io.BytesIO(body), columns=columns) for _, body in objects(stack, bucket, topic)]
    table = pa.concat_tables(tables).sort_by([("_cdc_partition", "ascending"), ("_cdc_offset", "ascending")])
    newest = table.append_column("row", pa.array(range(table.num_rows))).group_by("id").aggregate([("row", "max")])
    last = table.take(newest["row_max"])
    last = last.filter(pc.not_equal(last["_cdc_op"], "d"))
    states = zip(*(last[name].to_pylist() for name in STATE), strict=True)
    money = pc.sum(table["amount"].cast(pa.decimal128(38, 2))).as_py()
    return Summary(table.num_rows, money, {state[0]: state for state in states})


def save_columns(stack: Stack, bucket: str, topic: str, folder: Path) -> None:
    """Each landed object as an Arrow file `<partition>-<start>`."""
    for key, body in objects(stack, bucket, topic):
        partition, start = int(key.split("/")[-3]), key.split("/")[-1].removesuffix(".parquet")
        table = pq.read_table(io.BytesIO(body))
        with pa.ipc.new_file(str(folder / f"{partition}-{start}"), table.schema) as sink:
            sink.write_table(table)
