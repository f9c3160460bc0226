"""A batch -> the object that lands: key, Parquet bytes, metadata. The same batch gives the same bytes."""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from bank_common import columns as c
from bank_common.landing import SegmentKey, SegmentMetadata
from cdc_consumer.events import ChangeEvent, TransactionEvent
from cdc_consumer.line import Batch
from cdc_consumer.tables import table_of

REJECTED_OFFSETS: Final = b"bank-rejected-offsets"
"""Footer metadata: a JSON list of the offsets in the range that went to the dead letters."""

_FEW_VALUES: Final = frozenset({c.OP, c.SNAPSHOT, c.TOPIC, c.PARTITION, c.SCHEMA_ID, c.UNAVAILABLE, c.SEGMENT})
_REPEATS: Final = 4  # a string column gets a dictionary when each of its values comes this often on average


@dataclass(frozen=True, slots=True)
class Segment:
    """One object of a chain, ready to be created."""

    key: SegmentKey
    body: bytes
    metadata: SegmentMetadata


def encode(batch: Batch, topic_id: str, traceparent: str | None) -> Segment:
    """Write the batch as Parquet: zstd, dictionaries where values repeat, deltas for integers and instants."""
    key = SegmentKey(batch.chain.topic, batch.chain.partition, batch.start)
    table = table_of(batch, str(key))
    body = _parquet(table.replace_schema_metadata({REJECTED_OFFSETS: json.dumps([]).encode()}))
    positions = [
        event.lsn
        for event in batch.events
        if isinstance(event, ChangeEvent | TransactionEvent) and event.lsn is not None
    ]
    metadata = SegmentMetadata(
        topic_id=topic_id,
        start=batch.start,
        end=batch.end,
        rows=table.num_rows,
        rejected=0,
        schema_id=batch.shape.schema_id,
        sha256=hashlib.sha256(body).hexdigest(),
        lsn_min=min(positions, default=None),
        lsn_max=max(positions, default=None),
        traceparent=traceparent,
    )
    return Segment(key, body, metadata)


def _parquet(table: pa.Table) -> bytes:
    dictionaries = [name for name in table.column_names if name in _FEW_VALUES or _repeats(table.column(name))]
    deltas = {
        field.name: "DELTA_BINARY_PACKED"
        for field in table.schema
        if field.name not in dictionaries and (pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type))
    }
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=dictionaries,  # pyright: ignore[reportArgumentType] - its stubs know of bool only
        column_encoding=deltas,
    )
    return sink.getvalue().to_pybytes()


def _repeats(column: pa.ChunkedArray) -> bool:
    return pa.types.is_string(column.type) and len(column.unique()) * _REPEATS <= len(column)
