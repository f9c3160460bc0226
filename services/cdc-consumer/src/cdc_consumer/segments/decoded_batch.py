"""A decoded batch: the rows of a batch of raw records, as its segment has them, and its undecodable records. Pure."""

# Arrow has no types.
# pyright: standard

from collections.abc import Sequence
from typing import NamedTuple, cast

import pyarrow as pa

from bank_common.envelope.decoding import ArrowDecoder, KeyDecoders, segment_schema
from bank_common.envelope.events import DecodeError
from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing import columns as c
from cdc_consumer.model.partition_buffer import SegmentBatch


class DecodedBatch(NamedTuple):
    """Rows in the order of their offsets, with the columns of `segment_schema`; the errors of `rejected` by index."""

    rows: pa.Table
    rejected: dict[int, DecodeError]


def decode_batch(
    kind: TopicKind, batch: SegmentBatch, decoder: ArrowDecoder | None, key_decoders: KeyDecoders
) -> DecodedBatch:
    """Decode a batch. Each of its records becomes a row or is rejected; a record that came rejected stays so."""
    records, known = batch.records, batch.rejected
    indexes: Sequence[int] = range(records.count)
    if known:
        indexes = [index for index in indexes if index not in known]
    if decoder is None or not indexes:
        return DecodedBatch(segment_schema(kind, ()).empty_table(), dict(known))
    # A batch holds no tombstones.
    values, keys = cast("Sequence[bytes]", records.values), records.keys
    if known:
        values, keys = [values[index] for index in indexes], [keys[index] for index in indexes]
    decoded = decoder.decode(values, keys, key_decoders)
    rejected = {**known, **{indexes[index]: error for index, error in decoded.rejected.items()}}
    offsets = records.offsets
    if rejected:
        offsets = [records.offsets[index] for index in indexes if index not in rejected]
    return DecodedBatch(with_own_columns(kind, batch, decoded.rows, offsets), dict(sorted(rejected.items())))


def with_own_columns(kind: TopicKind, batch: SegmentBatch, rows: pa.Table, offsets: Sequence[int]) -> pa.Table:
    """Add the columns of the record itself and of its segment to the columns of what it holds; nothing is copied."""
    schema = segment_schema(kind, batch.value_schema.columns if batch.value_schema else ())
    count = len(offsets)
    own = {
        c.TOPIC: pa.repeat(batch.topic_partition.topic, count),
        c.PARTITION: pa.repeat(pa.scalar(batch.topic_partition.partition, pa.int32()), count),
        c.OFFSET: pa.array(offsets, pa.int64()),
        c.SCHEMA_ID: pa.repeat(pa.scalar(batch.schema_id, pa.int32()), count),
        c.SEGMENT: pa.repeat(str(batch.key), count),
    }
    return pa.table([own[name] if name in own else rows[name] for name in schema.names], schema=schema)
