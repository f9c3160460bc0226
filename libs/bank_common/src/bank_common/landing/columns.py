"""The columns that every segment carries beside the table's own (contract: docs in `bank_common.landing.segments`)."""

from typing import Final

OP: Final = "_cdc_op"
SNAPSHOT: Final = "_cdc_snapshot"
LSN: Final = "_cdc_lsn"
TX_ID: Final = "_cdc_tx_id"
TX_ORDER: Final = "_cdc_tx_order"
SOURCE_TIME: Final = "_cdc_source_time"
TOPIC: Final = "_cdc_topic"
PARTITION: Final = "_cdc_partition"
OFFSET: Final = "_cdc_offset"
SCHEMA_ID: Final = "_cdc_schema_id"
UNAVAILABLE: Final = "_cdc_unavailable"
NOT_REPRESENTABLE: Final = "_cdc_not_representable"
SEGMENT: Final = "_cdc_segment"

RECORD_COLUMNS: Final = (TOPIC, PARTITION, OFFSET, SCHEMA_ID, SEGMENT)
"""Where a row came from; in every segment."""

CHANGE_COLUMNS: Final = (
    OP,
    SNAPSHOT,
    LSN,
    TX_ID,
    TX_ORDER,
    SOURCE_TIME,
    TOPIC,
    PARTITION,
    OFFSET,
    SCHEMA_ID,
    UNAVAILABLE,
    NOT_REPRESENTABLE,
    SEGMENT,
)
"""What a change table's segment carries after the table's own columns, in this order."""

TRANSACTION_COLUMNS: Final = (
    "status",
    "tx_id",
    "lsn",
    "event_count",
    "collections",
    SOURCE_TIME,
    *RECORD_COLUMNS,
)
NOTIFICATION_COLUMNS: Final = (
    "id",
    "aggregate_type",
    "type",
    "table_name",
    "row_count",
    "status",
    "additional_data",
    SOURCE_TIME,
    *RECORD_COLUMNS,
)

UNAVAILABLE_PLACEHOLDER: Final = "__debezium_unavailable_value"
"""What Debezium sends by default for a TOAST column that the change didn't touch (`unavailable.value.placeholder`).

In records whose envelope has no field `unavailable`; with it, the envelope says so and no text means anything else."""
