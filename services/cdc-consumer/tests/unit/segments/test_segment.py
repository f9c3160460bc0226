"""I9 in small: what is read back from the Parquet bytes is what fastavro reads from the record."""

import hashlib
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from consumer_testing.fakes import MemoryRegistry
from envelope_testing.debezium import DECIMAL, INSTANT, NOTIFICATION, TRANSACTION, avro, change, envelope, framed
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing.columns import CHANGE_COLUMNS, NOTIFICATION_COLUMNS, TRANSACTION_COLUMNS
from bank_common.landing.segments import REJECTED_OFFSETS, TopicPartition
from cdc_consumer.consume.batcher import Batcher, RejectedBatch, SchemaBatch
from cdc_consumer.model.flush_limits import FlushLimits, FlushReason
from cdc_consumer.model.partition_buffer import PartitionBuffer
from cdc_consumer.model.records import Records
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.segments.segment import Segment, encode

TOPIC_PARTITION = TopicPartition("bank.public.things", 2)
LIMITS = FlushLimits(10**6, 10**12, 10**12, 1, 1)


def nullable(schema: Any) -> list[Any]:
    return ["null", schema]


FIELDS: list[dict[str, Any]] = [
    {"name": "flag", "type": nullable("boolean")},
    {"name": "small", "type": nullable("int")},
    {"name": "large", "type": nullable("long")},
    {"name": "ratio", "type": nullable("double")},
    {"name": "name", "type": nullable("string")},
    {"name": "blob", "type": nullable("bytes")},
    {"name": "amount", "type": nullable(DECIMAL)},
    {"name": "day", "type": nullable({"type": "int", "connect.name": "io.debezium.time.Date"})},
    {"name": "hour", "type": nullable({"type": "long", "connect.name": "io.debezium.time.MicroTime"})},
    {"name": "local", "type": nullable({"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"})},
    {"name": "instant", "type": nullable(INSTANT)},
]
SCHEMA = envelope(FIELDS, "bank.public.things")
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone of `local` is none
row_values = st.fixed_dictionaries(
    {
        "flag": st.none() | st.booleans(),
        "small": st.none() | st.integers(-(2**31), 2**31 - 1),
        "large": st.none() | st.integers(-(2**63), 2**63 - 1),
        "ratio": st.none() | st.floats(allow_nan=False),
        "name": st.none() | st.text(),
        "blob": st.none() | st.binary(),
        "amount": st.none() | st.integers(-(10**18) + 1, 10**18 - 1).map(lambda cents: Decimal(cents).scaleb(-2)),
        "day": st.none() | st.dates().map(lambda day: (day - date(1970, 1, 1)).days),
        "hour": st.none() | st.integers(0, 86_399_999_999),
        "local": st.none() | st.datetimes().map(lambda at: (at - EPOCH) // timedelta(microseconds=1)),
        "instant": st.none() | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    }
)


def landed(kind: TopicKind, schema: dict[str, Any], values: list[Any], traceparent: str | None = None) -> Segment:
    """The segment of these records, which come from the registry's schema 9 at every other offset."""
    batcher = Batcher(MemoryRegistry({9: schema}), LandedTopics({TOPIC_PARTITION.topic: kind}, frozenset()))
    count = len(values)
    buffer = PartitionBuffer(TOPIC_PARTITION, 100, LIMITS)
    records = Records(
        [100 + 2 * number for number in range(count)],
        [None] * count,
        [value if isinstance(value, bytes) else framed(9, schema, value) for value in values],
        [None] * count,
    )
    for batch in batcher.batches(TOPIC_PARTITION, records):
        if isinstance(batch, SchemaBatch):
            buffer.add(batch.records, batch.value_schema, urgent=batch.urgent, now=0.0)
        elif isinstance(batch, RejectedBatch):
            buffer.reject(batch.records, batch.error, now=0.0)
    buffer.seal(FlushReason.AGE)
    assert buffer.head is not None
    return encode(buffer.head, batcher.decode(buffer.head), "id", traceparent)


def read(segment: Segment) -> pa.Table:
    return pq.read_table(io.BytesIO(segment.body))


def changes(rows: list[dict[str, Any]], traceparent: str | None = None) -> Segment:
    values = [change("c", row, lsn=500 - number) for number, row in enumerate(rows)]
    return landed(TopicKind.CHANGES, SCHEMA, values, traceparent)


def plain(name: str, value: Any) -> Any:
    """fastavro's value as Arrow shows the column's type."""
    if value is None:
        return None
    match name:
        case "day":
            return date(1970, 1, 1) + timedelta(days=value)
        case "hour":
            return (EPOCH + timedelta(microseconds=value)).time()
        case "local":
            return EPOCH + timedelta(microseconds=value)
        case "instant":
            return datetime.fromisoformat(value)
        case _:
            return value


@settings(deadline=None)
@given(st.lists(row_values, min_size=1, max_size=8))
def test_every_type_survives(rows: list[dict[str, Any]]) -> None:
    parsed = fastavro.parse_schema(SCHEMA)
    bodies = [avro(SCHEMA, change("c", row)) for row in rows]
    expected: list[Any] = [fastavro.schemaless_reader(io.BytesIO(body), parsed, None) for body in bodies]
    table = read(changes(rows))
    for field in FIELDS:
        name = field["name"]
        assert table[name].to_pylist() == [plain(name, record["after"][name]) for record in expected], name


def test_the_types_are_exact_and_the_record_s_columns_follow() -> None:
    schema = read(changes([dict.fromkeys(field["name"] for field in FIELDS)])).schema
    assert schema.names == [*(field["name"] for field in FIELDS), *CHANGE_COLUMNS]
    assert schema.field("amount").type == pa.decimal128(18, 2)
    assert schema.field("instant").type == pa.timestamp("us", tz="UTC")
    assert schema.field("day").type == pa.date32()
    assert (schema.field("small").type, schema.field("large").type) == (pa.int32(), pa.int64())
    assert schema.field("hour").type == pa.time64("us")
    assert schema.field("_cdc_partition").type == pa.int32()
    assert schema.field("_cdc_source_time").type == pa.timestamp("us", tz="UTC")


def test_metadata_and_key_say_what_is_inside() -> None:
    rows = [dict.fromkeys(field["name"] for field in FIELDS) for _ in range(3)]
    segment = changes(rows, "00-aa-bb-01")
    key = "bank.public.things/0002/00000000000000/00000000000000000100.parquet"
    assert str(segment.key) == key
    metadata = segment.metadata
    assert (metadata.topic_id, metadata.start, metadata.end, metadata.rows) == ("id", 100, 105, 3)
    assert (metadata.lsn_min, metadata.lsn_max, metadata.schema_id) == (498, 500, 9)
    assert metadata.sha256 == hashlib.sha256(segment.body).hexdigest()
    assert metadata.traceparent == "00-aa-bb-01"
    assert metadata.source_us_min == 1_770_000_000_123_456
    table = read(segment)
    assert set(table["_cdc_segment"].to_pylist()) == {key}
    assert table["_cdc_offset"].to_pylist() == [100, 102, 104]
    assert json.loads(table.schema.metadata[REJECTED_OFFSETS]) == []


def test_the_same_batch_gives_the_same_bytes() -> None:
    rows = [dict.fromkeys(field["name"] for field in FIELDS)]
    assert changes(rows).body == changes(rows, "00-other-trace-01").body


def test_unavailable_columns_are_named() -> None:
    rows = [
        {**dict.fromkeys(field["name"] for field in FIELDS), "name": name}
        for name in ("__debezium_unavailable_value", "kept")
    ]
    table = read(changes(rows))
    assert table["_cdc_unavailable"].to_pylist() == ['["name"]', None]
    assert table["name"].to_pylist() == [None, "kept"]


def test_rejected_offsets_are_in_the_footer_and_counted() -> None:
    row = dict.fromkeys(field["name"] for field in FIELDS)
    good = framed(9, SCHEMA, change("c", row))
    segment = landed(TopicKind.CHANGES, SCHEMA, [b"junk", good, good[:-1], good, b""])
    table = read(segment)
    assert json.loads(table.schema.metadata[REJECTED_OFFSETS]) == [100, 104, 108]
    assert table["_cdc_offset"].to_pylist() == [102, 106]
    metadata = segment.metadata
    assert (metadata.start, metadata.end, metadata.rows, metadata.rejected) == (100, 109, 2, 3)


def test_a_segment_of_rejects_alone_has_no_rows_and_no_schema() -> None:
    segment = landed(TopicKind.CHANGES, SCHEMA, [b"junk"])
    assert (segment.metadata.rows, segment.metadata.rejected, segment.metadata.schema_id) == (0, 1, 0)
    assert tuple(read(segment).schema.names) == CHANGE_COLUMNS


def test_transactions_have_columns_of_their_own() -> None:
    counted = [{"data_collection": "public.accounts", "event_count": 2}]
    begin = {"status": "BEGIN", "id": "7:70", "event_count": None, "data_collections": None, "ts_ms": 1000}
    end = {"status": "END", "id": "7:75", "event_count": 2, "data_collections": counted, "ts_ms": 2000}
    segment = landed(TopicKind.TRANSACTIONS, TRANSACTION, [begin, end])
    assert (segment.metadata.lsn_min, segment.metadata.lsn_max) == (70, 75)
    assert segment.metadata.source_us_min is None
    table = read(segment)
    assert tuple(table.schema.names) == TRANSACTION_COLUMNS
    begin, end = table.to_pylist()
    assert (begin["status"], begin["tx_id"], begin["lsn"], begin["event_count"]) == ("BEGIN", 7, 70, None)
    assert begin["collections"] is None
    assert json.loads(end["collections"]) == [{"data_collection": "public.accounts", "event_count": 2}]
    assert end["_cdc_source_time"] == datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)


def test_notifications_have_columns_of_their_own() -> None:
    data = {"scanned_collection": "public.accounts", "total_rows_scanned": "3", "status": "SUCCEEDED"}
    value = {
        "id": "i",
        "aggregate_type": "Initial Snapshot",
        "type": "COMPLETED",
        "additional_data": data,
        "timestamp": 5,
    }
    segment = landed(TopicKind.NOTIFICATIONS, NOTIFICATION, [value])
    table = read(segment)
    assert tuple(table.schema.names) == NOTIFICATION_COLUMNS
    assert table["row_count"].to_pylist() == [3]
    assert segment.metadata.lsn_min is None


def test_encodings_are_chosen_by_what_a_column_holds() -> None:
    rows = [
        {**dict.fromkeys(field["name"] for field in FIELDS), "large": number, "name": f"n{number % 2}"}
        for number in range(50)
    ]
    group = pq.ParquetFile(io.BytesIO(changes(rows).body)).metadata.row_group(0)
    chunks = {group.column(number).path_in_schema: group.column(number) for number in range(group.num_columns)}
    assert "DELTA_BINARY_PACKED" in chunks["_cdc_offset"].encodings
    assert "DELTA_BINARY_PACKED" in chunks["large"].encodings
    for name in ("_cdc_op", "_cdc_segment", "name"):
        assert any("DICTIONARY" in encoding for encoding in chunks[name].encodings), name
    assert chunks["_cdc_offset"].compression == "ZSTD"
