"""What a record costs between poll and PUT: `uv run python services/cdc-consumer/benchmarks/landing.py`.

Contenders, all from the same raw records to the same number of Parquet files:
  in step    this consumer
  reference  this consumer with the reference decode (fastavro, record by record)
  plain      a loop as it is often written: one dict per record, `from_pylist`, no exact instants
  bound      Parquet alone, from columns that are there already: no decode can be faster
Parity comes first: rows, sum of the money and last state per key are equal, or there are no figures. Then rounds in
which every contender runs once; ratios are taken within a round. CPU time of this process, one thread for Arrow.
"""

import argparse
import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, __file__.rpartition("/")[0])
from envelopes import ENVELOPE, KEY, KEY_ID, VALUE_ID, produced

from cdc_consumer.content import Content, content_of
from cdc_consumer.decode import ReferenceDecoder, decoder_for, key_decoder_for
from cdc_consumer.events import DecodeError
from cdc_consumer.intake import Intake, Run
from cdc_consumer.line import Batch, FlushReason, Limits, Line
from cdc_consumer.records import Records
from cdc_consumer.segment import encode
from cdc_consumer.topics import Chain, Kind, LandedTopics

CHAIN = Chain("bank.public.transactions", 0)
POLL, ROWS = 10_000, 50_000
LIMITS = Limits(ROWS, 2**40, 2**40, 1, 1)
Files = list[bytes]


class Schemas:
    """A registry of two schemas."""

    def schema(self, schema_id: int) -> str | None:
        return {VALUE_ID: json.dumps(ENVELOPE), KEY_ID: json.dumps(KEY)}.get(schema_id)

    def probe(self) -> None:
        return None


def batches(records: Records, intake: Intake) -> Sequence[Batch]:
    """The batches that a line makes of polls."""
    line, found = Line(CHAIN, 0, LIMITS), list[Batch]()
    for first in range(0, records.count, POLL):
        for taken in intake.sort(CHAIN, records.part(first, first + POLL)):
            assert isinstance(taken, Run)
            line.add(taken.records, taken.shape, urgent=taken.urgent, now=0.0)
    line.seal(FlushReason.AGE)
    while line.head is not None:
        found.append(line.head)
        line.stored()
    return found


def new_intake() -> Intake:
    return Intake(Schemas(), LandedTopics({CHAIN.topic: Kind.CHANGES}, frozenset()))


def landed(records: Records, intake: Intake, decode: Callable[[Batch], Content]) -> Files:
    return [encode(Kind.CHANGES, batch, decode(batch), "id", None).body for batch in batches(records, intake)]


def in_step(records: Records) -> Files:
    intake = new_intake()
    return landed(records, intake, intake.decode)


def reference(records: Records) -> Files:
    decoder = decoder_for(Kind.CHANGES, json.dumps(ENVELOPE))
    assert not isinstance(decoder, DecodeError)
    keys = {KEY_ID: key_decoder_for(json.dumps(KEY))}
    slow = ReferenceDecoder(Kind.CHANGES, decoder)
    return landed(records, new_intake(), lambda batch: content_of(Kind.CHANGES, batch, slow, keys))


PLAIN_SCHEMA = pa.schema(
    [
        *(("id", pa.int64()), ("account_id", pa.int32()), ("txn_type", pa.string()), ("amount", pa.decimal128(18, 2))),
        *(("related_account_id", pa.int32()), ("status", pa.string()), ("created_at", pa.string())),
        *((name, pa.int64()) for name in ("_cdc_lsn", "_cdc_tx_id", "_cdc_offset")),
        ("_cdc_op", pa.string()),
    ]
)


def plain(records: Records) -> Files:
    schema, key_schema = fastavro.parse_schema(dict(ENVELOPE)), fastavro.parse_schema(dict(KEY))
    files, rows = Files(), list[dict[str, Any]]()
    for offset, key, value in zip(records.offsets, records.keys, records.values, strict=True):
        event: Any = fastavro.schemaless_reader(io.BytesIO((value or b"")[5:]), schema, None)
        row: Any = event["after"] or fastavro.schemaless_reader(io.BytesIO((key or b"")[5:]), key_schema, None)
        source = event["source"]
        own = {"_cdc_op": event["op"], "_cdc_lsn": source["lsn"], "_cdc_tx_id": source["txId"], "_cdc_offset": offset}
        rows.append({**row, **own})
        if len(rows) == ROWS:
            files.append(_written(rows))
            rows = []
    return [*files, _written(rows)] if rows else files


def _written(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, PLAIN_SCHEMA), sink, compression="zstd")
    return sink.getvalue()


def bound(records: Records) -> Callable[[Records], Files]:
    """The Parquet of what is decoded beforehand."""
    intake = new_intake()
    ready = [(batch, intake.decode(batch)) for batch in batches(records, intake)]
    return lambda _: [encode(Kind.CHANGES, batch, content, "id", None).body for batch, content in ready]


def summary(files: Files) -> tuple[int, Decimal, int]:
    """Rows, the sum of the money, and a digest of the last state per key."""
    columns = ["id", "amount", "status", "txn_type", "_cdc_op", "_cdc_offset"]
    rows = [row for body in files for row in pq.read_table(io.BytesIO(body), columns=columns).to_pylist()]
    last = {row["id"]: tuple(row.values()) for row in sorted(rows, key=lambda row: row["_cdc_offset"])}
    return len(rows), sum((row["amount"] or Decimal(0) for row in rows), Decimal(0)), hash(frozenset(last.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description="What a record costs between poll and PUT.")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    pa.set_cpu_count(1)
    records = produced(given.records)
    contenders: dict[str, Callable[[Records], Files]] = {
        "in step": in_step,
        "reference": reference,
        "plain": plain,
        "bound": bound(records),
    }
    parity = {name: summary(run(records)) for name, run in contenders.items()}
    if len(set(parity.values())) != 1:
        raise SystemExit(f"no parity, no figures: {parity}")
    rows, money, _ = parity["in step"]
    sys.stdout.write(f"parity: {rows:,} rows, {money:,} in money, the same last state per key\n")
    costs: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(given.rounds):
        for name, run in contenders.items():
            started = time.process_time()
            run(records)
            costs[name].append((time.process_time() - started) / given.records * 1e6)
    sys.stdout.write("contender   us of CPU per record (median, lowest, highest)   times in step (median)\n")
    for name, found in costs.items():
        ratios = [other / own for other, own in zip(found, costs["in step"], strict=True)]
        numbers = f"{statistics.median(found):8.2f} {min(found):8.2f} {max(found):8.2f}"
        sys.stdout.write(f"{name:10} {numbers}    {statistics.median(ratios):24.2f}\n")


if __name__ == "__main__":
    main()
