"""A batch's content -> the Arrow table of its segment."""

import pyarrow as pa

from bank_common import columns as c
from cdc_consumer.decode import segment_schema
from cdc_consumer.decoded_batch import Content
from cdc_consumer.partition_buffer import Batch
from cdc_consumer.topics import TopicKind


def table_of(kind: TopicKind, batch: Batch, content: Content, key: str) -> pa.Table:
    """The segment's rows, in the order of their offsets; `key` is the object's name."""
    schema = segment_schema(kind, batch.shape.columns if batch.shape else ())
    rows = len(content.offsets)
    own = {
        c.TOPIC: pa.repeat(batch.topic_partition.topic, rows),
        c.PARTITION: pa.repeat(pa.scalar(batch.topic_partition.partition, pa.int32()), rows),
        c.OFFSET: pa.array(content.offsets, pa.int64()),
        c.SCHEMA_ID: pa.repeat(pa.scalar(batch.schema_id, pa.int32()), rows),
        c.SEGMENT: pa.repeat(key, rows),
    }
    return pa.table([own[name] if name in own else content.rows[name] for name in schema.names], schema=schema)
