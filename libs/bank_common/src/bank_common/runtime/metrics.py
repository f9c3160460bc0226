"""All metrics of all programs: names, types, units and labels. Prometheus text format, `bank_` prefix."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `labels` are the attribute names, the unit is the last word of the name."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


_TOPIC_PARTITION: Final = ("topic", "partition")

CONSUMER_RECORDS: Final = Metric("bank_consumer_records", "counter", "Records read from Kafka", _TOPIC_PARTITION)
CONSUMER_SEGMENTS: Final = Metric("bank_consumer_segments", "counter", "Segments created", _TOPIC_PARTITION)
CONSUMER_ROWS: Final = Metric("bank_consumer_rows", "counter", "Rows in created segments", _TOPIC_PARTITION)
CONSUMER_BYTES: Final = Metric("bank_consumer_segment_bytes", "counter", "Bytes of created segments", _TOPIC_PARTITION)
CONSUMER_REJECTED: Final = Metric(
    "bank_consumer_rejected", "counter", "Undecodable records in the ranges of created segments", _TOPIC_PARTITION
)
CONSUMER_FLUSHES: Final = Metric(
    "bank_consumer_flushes", "counter", "Segments created, by flush reason", (*_TOPIC_PARTITION, "reason")
)
CONSUMER_RACES_LOST: Final = Metric(
    "bank_consumer_races_lost",
    "counter",
    "Segments that another member of the group had created first",
    _TOPIC_PARTITION,
)
CONSUMER_STORE_ERRORS: Final = Metric("bank_consumer_store_errors", "counter", "Failed object-store calls")
CONSUMER_BUFFERED_BYTES: Final = Metric(
    "bank_consumer_buffered_bytes", "gauge", "Bytes held in memory, not stored yet", _TOPIC_PARTITION
)
CONSUMER_TAIL: Final = Metric(
    "bank_consumer_tail_offset",
    "gauge",
    "Offset at which the next segment starts: the end of the chain",
    _TOPIC_PARTITION,
)
CONSUMER_LAG: Final = Metric(
    "bank_consumer_lag_records",
    "gauge",
    "High watermark minus the offset at which the next segment starts",
    _TOPIC_PARTITION,
)
CONSUMER_LAG_SECONDS: Final = Metric(
    "bank_consumer_lag_seconds",
    "gauge",
    "Age in Kafka of the oldest record that is buffered and not stored",
    _TOPIC_PARTITION,
)
CONSUMER_FLUSH: Final = Metric(
    "bank_consumer_flush_seconds", "histogram", "Time to decode, encode and store one segment"
)
CONSUMER_FLUSH_WINDOW: Final = Metric(
    "bank_consumer_flush_window_seconds",
    "gauge",
    "Time that the oldest record of the last flush had waited in its buffer",
)
CONSUMER_PUT: Final = Metric("bank_consumer_put_seconds", "histogram", "Time to create one object in the store")

RECEIVER_EVENTS: Final = Metric("bank_receiver_events", "counter", "Webhook events by outcome", ("outcome",))
RECEIVER_WAKEUPS: Final = Metric("bank_receiver_wakeups", "counter", "Wake-ups by outcome", ("outcome",))
RECEIVER_DIRTY: Final = Metric("bank_receiver_dirty", "gauge", "1 while a wake-up is owed")
RECEIVER_CYCLES: Final = Metric(
    "bank_receiver_cycles", "counter", "Cycles of load and build begun, by how the one before was found", ("before",)
)
RECEIVER_WAIT: Final = Metric(
    "bank_receiver_wait_seconds", "gauge", "How long the next wake-up still waits for the target lag or for a cycle"
)
RECEIVER_LOAD: Final = Metric(
    "bank_receiver_load_seconds", "gauge", "The last successful load, from queueing to success"
)
RECEIVER_BUILD: Final = Metric(
    "bank_receiver_build_seconds", "gauge", "The last successful build, from queueing to success"
)

GENERATOR_TRANSACTIONS: Final = Metric(
    "bank_generator_transactions", "counter", "Database transactions by kind and outcome", ("kind", "outcome")
)
GENERATOR_CHANGES: Final = Metric(
    "bank_generator_changes", "counter", "Committed row changes by table and operation", ("table", "operation")
)

ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
