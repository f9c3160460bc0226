"""Every instrument of every program, in one list: names, units and labels. Prometheus text format, `bank_` prefix."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric; `labels` are the attribute names, the unit is the last word of the name."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


_LINE: Final = ("topic", "partition")

CONSUMER_RECORDS: Final = Instrument("bank_consumer_records", "counter", "Records read from Kafka", _LINE)
CONSUMER_SEGMENTS: Final = Instrument("bank_consumer_segments", "counter", "Segments created", _LINE)
CONSUMER_ROWS: Final = Instrument("bank_consumer_rows", "counter", "Rows in created segments", _LINE)
CONSUMER_BYTES: Final = Instrument("bank_consumer_segment_bytes", "counter", "Bytes of created segments", _LINE)
CONSUMER_REJECTED: Final = Instrument(
    "bank_consumer_rejected", "counter", "Undecodable records in the ranges of created segments", _LINE
)
CONSUMER_FLUSHES: Final = Instrument(
    "bank_consumer_flushes", "counter", "Segments created, by why they were stored then", (*_LINE, "reason")
)
CONSUMER_RACES_LOST: Final = Instrument(
    "bank_consumer_races_lost", "counter", "Segments another owner created first", _LINE
)
CONSUMER_STORE_ERRORS: Final = Instrument("bank_consumer_store_errors", "counter", "Failed object-store calls")
CONSUMER_BUFFERED_BYTES: Final = Instrument(
    "bank_consumer_buffered_bytes", "gauge", "Bytes held in memory, not stored yet", _LINE
)
CONSUMER_TAIL: Final = Instrument("bank_consumer_tail_offset", "gauge", "Where the next segment starts", _LINE)
CONSUMER_LAG: Final = Instrument(
    "bank_consumer_lag_records", "gauge", "High watermark minus next offset to store", _LINE
)
CONSUMER_LAG_SECONDS: Final = Instrument(
    "bank_consumer_lag_seconds", "gauge", "Age in Kafka of the oldest record that was read and is not stored", _LINE
)
CONSUMER_FLUSH: Final = Instrument(
    "bank_consumer_flush_seconds", "histogram", "Time to decode, encode and store one segment"
)
CONSUMER_FLUSH_WINDOW: Final = Instrument(
    "bank_consumer_flush_window_seconds", "gauge", "How long the oldest record of the last flush waited in its buffer"
)
CONSUMER_PUT: Final = Instrument("bank_consumer_put_seconds", "histogram", "Time to create one object in the store")

RECEIVER_EVENTS: Final = Instrument("bank_receiver_events", "counter", "Webhook events by outcome", ("outcome",))
RECEIVER_WAKEUPS: Final = Instrument("bank_receiver_wakeups", "counter", "Wake-ups by outcome", ("outcome",))
RECEIVER_DIRTY: Final = Instrument("bank_receiver_dirty", "gauge", "1 while a wake-up is owed")
RECEIVER_CYCLES: Final = Instrument(
    "bank_receiver_cycles", "counter", "Cycles of load and build begun, by how the one before was found", ("before",)
)
RECEIVER_WAIT: Final = Instrument(
    "bank_receiver_wait_seconds", "gauge", "How long the next wake-up still waits for the target lag or for a cycle"
)
RECEIVER_LOAD: Final = Instrument(
    "bank_receiver_load_seconds", "gauge", "The last successful load, from queueing to success"
)
RECEIVER_BUILD: Final = Instrument(
    "bank_receiver_build_seconds", "gauge", "The last successful build, from queueing to success"
)

GENERATOR_TRANSACTIONS: Final = Instrument(
    "bank_generator_transactions", "counter", "Database transactions by kind and outcome", ("kind", "outcome")
)
GENERATOR_CHANGES: Final = Instrument(
    "bank_generator_changes", "counter", "Committed row changes by table and operation", ("table", "operation")
)

ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Instrument))
