"""A segment: the key, Parquet bytes and metadata of one object. The same batch gives the same bytes."""

# Arrow has no types.
# pyright: standard

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from bank_common.landing import columns as c
from bank_common.landing.segments import REJECTED_OFFSETS, SegmentKey, SegmentMetadata
from cdc_consumer.model.partition_buffer import SegmentBatch
from cdc_consumer.segments.decoded_batch import DecodedBatch

pc: Any = compute  # its functions are made at import, unseen by stubs

_FEW_VALUES: Final = frozenset({c.OP, c.SNAPSHOT, c.TOPIC, c.PARTITION, c.SCHEMA_ID, c.UNAVAILABLE, c.SEGMENT})
_REPEATS: Final = 4  # a string column gets a dictionary when each of its values comes this often on average


@dataclass(frozen=True, slots=True)
class Segment:
    """One object of a chain, as it is to be created."""

    key: SegmentKey
    body: bytes
    metadata: SegmentMetadata


def encode(batch: SegmentBatch, decoded: DecodedBatch, topic_id: str, traceparent: str | None) -> Segment:
    """Encode a decoded batch as Parquet: zstd, dictionaries where values repeat, deltas for integers and instants."""
    table = decoded.rows
    rejected = [batch.records.offsets[index] for index in decoded.rejected]
    body = parquet(table.replace_schema_metadata({REJECTED_OFFSETS: json.dumps(rejected).encode()}))
    lsn_min, lsn_max = _positions(table)
    metadata = SegmentMetadata(
        topic_id=topic_id,
        start=batch.start,
        end=batch.end,
        rows=table.num_rows,
        rejected=len(rejected),
        schema_id=batch.schema_id,
        sha256=hashlib.sha256(body).hexdigest(),
        lsn_min=lsn_min,
        lsn_max=lsn_max,
        traceparent=traceparent,
        source_us_min=_earliest(table),
    )
    return Segment(batch.key, body, metadata)


def _positions(table: pa.Table) -> tuple[int | None, int | None]:
    for name in (c.LSN, "lsn"):
        if name in table.column_names:
            bounds = pc.min_max(table[name]).as_py()
            return bounds["min"], bounds["max"]
    return None, None


def _earliest(table: pa.Table) -> int | None:
    # Of changes alone: BEGIN and END of heartbeats wait for minutes before they are stored.
    if c.OP not in table.column_names:
        return None
    return pc.min(table[c.SOURCE_TIME].cast(pa.int64())).as_py()


def parquet(table: pa.Table) -> bytes:
    """Write a table as a Parquet file."""
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
