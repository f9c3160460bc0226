"""Events of the reference decoder -> Arrow tables, with the same columns as those of the columnar decoder."""

# Arrow has no types.
# pyright: standard

import json
from collections.abc import Sequence
from typing import Any, assert_never, cast

import pyarrow as pa

from bank_common.envelope import arrow
from bank_common.envelope.avro import Column
from bank_common.envelope.events import ChangeEvent, Event, NotificationEvent, TransactionEvent
from bank_common.envelope.topic_kind import TopicKind
from bank_common.envelope.unavailable import names_of, texts_of
from bank_common.landing import columns as c

Values = dict[str, Sequence[Any]]


def segment_schema(kind: TopicKind, columns: Sequence[Column]) -> pa.Schema:
    """The columns of a segment of this kind, with their exact types."""
    match kind:
        case TopicKind.CHANGES:
            return arrow.change_schema(columns)
        case TopicKind.TRANSACTIONS:
            return arrow.TRANSACTION_SCHEMA
        case TopicKind.NOTIFICATIONS:
            return arrow.NOTIFICATION_SCHEMA
        case _:
            assert_never(kind)


def decoded_schema(kind: TopicKind, columns: Sequence[Column]) -> pa.Schema:
    """The columns that a decoder makes: all but those of the record (topic, partition, offset, schema id, segment)."""
    return pa.schema([field for field in segment_schema(kind, columns) if field.name not in c.RECORD_COLUMNS])


def rows_of(kind: TopicKind, columns: Sequence[Column], events: Sequence[Event]) -> pa.Table:
    """One row per event, in their order."""
    match kind:
        case TopicKind.CHANGES:
            values = _changes(columns, cast("Sequence[ChangeEvent]", events))
        case TopicKind.TRANSACTIONS:
            values = _transactions(cast("Sequence[TransactionEvent]", events))
        case TopicKind.NOTIFICATIONS:
            values = _notifications(cast("Sequence[NotificationEvent]", events))
        case _:
            assert_never(kind)
    schema = decoded_schema(kind, columns)
    return pa.table([pa.array(values[field.name], type=field.type) for field in schema], schema=schema)


def _changes(columns: Sequence[Column], events: Sequence[ChangeEvent]) -> Values:
    return {
        **{column.name: [event.values[index] for event in events] for index, column in enumerate(columns)},
        c.OP: [event.op for event in events],
        c.SNAPSHOT: [event.snapshot for event in events],
        c.LSN: [event.lsn for event in events],
        c.TX_ID: [event.tx_id for event in events],
        c.TX_ORDER: [event.tx_order for event in events],
        c.SOURCE_TIME: [event.source_time for event in events],
        c.UNAVAILABLE: [names_of(event.unavailable) for event in events],
        c.NOT_REPRESENTABLE: [texts_of(event.not_representable) for event in events],
    }


def _transactions(events: Sequence[TransactionEvent]) -> Values:
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


def _notifications(events: Sequence[NotificationEvent]) -> Values:
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
