"""Segments as the consumer makes them: real Parquet with exact types, and metadata that is true unless a test lies."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bank_common import names
from bank_common.landing.segments import SegmentKey, SegmentMetadata

INSTANT = pa.timestamp("us", "UTC")
FIRST = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
ACCOUNTS = "bank.public.accounts"
_RECORD = (
    pa.field("_cdc_topic", pa.string()),
    pa.field("_cdc_partition", pa.int32()),
    pa.field("_cdc_offset", pa.int64()),
    pa.field("_cdc_schema_id", pa.int32()),
)
ACCOUNT_SCHEMA = pa.schema(
    [
        pa.field("id", pa.int32()),
        pa.field("customer_id", pa.int32()),
        pa.field("account_type", pa.string()),
        pa.field("balance", pa.decimal128(18, 2)),
        pa.field("currency", pa.string()),
        pa.field("created_at", INSTANT),
        pa.field("_cdc_op", pa.string()),
        pa.field("_cdc_snapshot", pa.string()),
        pa.field("_cdc_lsn", pa.int64()),
        pa.field("_cdc_tx_id", pa.int64()),
        pa.field("_cdc_tx_order", pa.int64()),
        pa.field("_cdc_source_time", INSTANT),
        *_RECORD,
        pa.field("_cdc_unavailable", pa.string()),
        pa.field("_cdc_not_representable", pa.string()),
        pa.field("_cdc_segment", pa.string()),
    ]
)
PROGRESS_SCHEMA = pa.schema(
    [
        pa.field("status", pa.string()),
        pa.field("tx_id", pa.int64()),
        pa.field("lsn", pa.int64()),
        pa.field("event_count", pa.int64()),
        pa.field("collections", pa.string()),
        pa.field("_cdc_source_time", INSTANT),
        *_RECORD,
        pa.field("_cdc_segment", pa.string()),
    ]
)


@dataclass(frozen=True)
class Made:
    """An object ready to be put into a landing."""

    key: SegmentKey
    body: bytes
    metadata: SegmentMetadata

    def lying(self, **metadata: Any) -> "Made":
        """Give the object metadata that is not true."""
        return replace(self, metadata=replace(self.metadata, **metadata))


def accounts(partition: int, start: int, end: int, rows: int | None = None) -> Made:
    """`rows` changes of accounts within `[start, end)`; default: one per offset."""
    key = SegmentKey(ACCOUNTS, partition, start)
    count = end - start if rows is None else rows
    made = [account_row(key, offset) for offset in range(start, start + count)]
    return _made(key, end, made, ACCOUNT_SCHEMA)


def rows_of(topic: str, partition: int, start: int, count: int) -> Made:
    """`count` records of any landed topic with the record's own columns alone: COPY leaves the others NULL."""
    key = SegmentKey(topic, partition, start)
    made = [_record(key, offset) for offset in range(start, start + count)]
    return _made(key, start + count, made, pa.schema([*_RECORD, pa.field("_cdc_segment", pa.string())]))


def misfit(partition: int, start: int) -> Made:
    """A segment whose key is a word: RAW's column takes numbers."""
    key = SegmentKey(ACCOUNTS, partition, start)
    schema = ACCOUNT_SCHEMA.set(0, pa.field("id", pa.string()))
    return _made(key, start + 1, [account_row(key, start) | {"id": "seven"}], schema)


def account_row(key: SegmentKey, offset: int) -> dict[str, Any]:
    """A change of an account; every value follows from its offset, and every third instant is NULL."""
    return {
        "id": offset,
        "customer_id": offset // 2,
        "account_type": "checking",
        "balance": Decimal(offset * 1_000_003) / 100,
        "currency": "USD",
        "created_at": None if offset % 3 == 0 else FIRST + timedelta(microseconds=offset),
        "_cdc_op": "c",
        "_cdc_snapshot": "false",
        "_cdc_lsn": 2**40 + offset,
        "_cdc_tx_id": 700 + offset,
        "_cdc_tx_order": 1,
        "_cdc_source_time": FIRST,
        **_record(key, offset),
        "_cdc_unavailable": None,
        "_cdc_not_representable": None,
    }


def transaction_ends(start: int, tables: Sequence[str | None]) -> Made:
    """BEGIN and END of one transaction for each item: the table that END counts, or None (a heartbeat's)."""
    key = SegmentKey(names.TRANSACTION_TOPIC, 0, start)
    rows: list[dict[str, Any]] = []
    for number, table in enumerate(tables):
        counted = [] if table is None else [{"data_collection": table, "event_count": 1}]
        common = {"tx_id": 700 + number, "lsn": 2**40 + number, "_cdc_source_time": FIRST}
        begin, end = start + 2 * number, start + 2 * number + 1
        rows.append({"status": "BEGIN", **common, **_record(key, begin)})
        rows.append(
            {
                "status": "END",
                **common,
                "event_count": len(counted),
                "collections": json.dumps(counted),
                **_record(key, end),
            }
        )
    return _made(key, start + len(rows), rows, PROGRESS_SCHEMA)


def _record(key: SegmentKey, offset: int) -> dict[str, Any]:
    return {
        "_cdc_topic": key.topic,
        "_cdc_partition": key.partition,
        "_cdc_offset": offset,
        "_cdc_schema_id": 7,
        "_cdc_segment": str(key),
    }


def _made(key: SegmentKey, end: int, rows: list[dict[str, Any]], schema: pa.Schema) -> Made:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
    body = sink.getvalue()
    metadata = SegmentMetadata(
        topic_id="0dZkRy3oQ1a7cK5mvJ2xTg",
        start=key.start,
        end=end,
        rows=len(rows),
        rejected=end - key.start - len(rows),
        schema_id=7,
        sha256=hashlib.sha256(body).hexdigest(),
        lsn_min=2**40,
        lsn_max=2**40 + end,
    )
    return Made(key, body, metadata)
