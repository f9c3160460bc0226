"""A batch -> an Arrow table with the exact types of its segment."""

import json
from collections.abc import Sequence
from typing import Any, assert_never, cast

import pyarrow as pa

from bank_common import arrow
from bank_common import columns as c
from cdc_consumer.events import ChangeEvent, NotificationEvent, TransactionEvent
from cdc_consumer.line import Batch
from cdc_consumer.topics import Kind

Columns = dict[str, Sequence[Any]]


def table_of(batch: Batch, key: str) -> pa.Table:
    """The segment's rows, in the order of their offsets; `key` is the object's name."""
    match batch.shape.kind:
        case Kind.CHANGES:
            schema = arrow.change_schema(batch.shape.columns)
            columns = _changes(batch)
        case Kind.TRANSACTIONS:
            schema = arrow.TRANSACTION_SCHEMA
            columns = _transactions(cast("Sequence[TransactionEvent]", batch.events))
        case Kind.NOTIFICATIONS:
            schema = arrow.NOTIFICATION_SCHEMA
            columns = _notifications(cast("Sequence[NotificationEvent]", batch.events))
        case _:
            assert_never(batch.shape.kind)
    rows = len(batch.offsets)
    columns |= {
        c.TOPIC: [batch.chain.topic] * rows,
        c.PARTITION: [batch.chain.partition] * rows,
        c.OFFSET: batch.offsets,
        c.SCHEMA_ID: [batch.shape.schema_id] * rows,
        c.SEGMENT: [key] * rows,
    }
    return pa.table([pa.array(columns[field.name], type=field.type) for field in schema], schema=schema)


def _changes(batch: Batch) -> Columns:
    events = cast("Sequence[ChangeEvent]", batch.events)
    business = zip(*(event.values for event in events), strict=True)
    return {
        **{column.name: values for column, values in zip(batch.shape.columns, business, strict=True)},
        c.OP: [event.op for event in events],
        c.SNAPSHOT: [event.snapshot for event in events],
        c.LSN: [event.lsn for event in events],
        c.TX_ID: [event.tx_id for event in events],
        c.TX_ORDER: [event.tx_order for event in events],
        c.SOURCE_TIME: [event.source_time for event in events],
        c.UNAVAILABLE: [json.dumps(event.unavailable) if event.unavailable else None for event in events],
    }


def _transactions(events: Sequence[TransactionEvent]) -> Columns:
    return {
        "status": [event.status for event in events],
        "tx_id": [event.tx_id for event in events],
        "lsn": [event.lsn for event in events],
        "event_count": [event.event_count for event in events],
        "collections": [_collections(event) for event in events],
        c.SOURCE_TIME: [event.source_time for event in events],
    }


def _collections(event: TransactionEvent) -> str | None:
    if event.collections is None:
        return None
    return json.dumps([{"data_collection": name, "event_count": count} for name, count in event.collections])


def _notifications(events: Sequence[NotificationEvent]) -> Columns:
    return {
        "id": [event.id for event in events],
        "aggregate_type": [event.aggregate_type for event in events],
        "type": [event.type for event in events],
        "table_name": [event.table_name for event in events],
        "row_count": [event.row_count for event in events],
        "status": [event.status for event in events],
        "additional_data": [event.additional_data for event in events],
        c.SOURCE_TIME: [event.source_time for event in events],
    }
