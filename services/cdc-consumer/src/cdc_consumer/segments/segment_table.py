"""A decoded batch -> the Arrow table of its segment."""

import pyarrow as pa

from bank_common.envelope.decoding import segment_schema
from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing import columns as c
from cdc_consumer.model.partition_buffer import SegmentBatch
from cdc_consumer.segments.decoded_batch import DecodedBatch


def table_of(kind: TopicKind, batch: SegmentBatch, decoded: DecodedBatch, key: str) -> pa.Table:
    """Build the table of a segment, in the order of the offsets; `key` is the key of its object."""
    schema = segment_schema(kind, batch.value_schema.columns if batch.value_schema else ())
    rows = len(decoded.offsets)
    own = {
        c.TOPIC: pa.repeat(batch.topic_partition.topic, rows),
        c.PARTITION: pa.repeat(pa.scalar(batch.topic_partition.partition, pa.int32()), rows),
        c.OFFSET: pa.array(decoded.offsets, pa.int64()),
        c.SCHEMA_ID: pa.repeat(pa.scalar(batch.schema_id, pa.int32()), rows),
        c.SEGMENT: pa.repeat(key, rows),
    }
    return pa.table([own[name] if name in own else decoded.rows[name] for name in schema.names], schema=schema)
