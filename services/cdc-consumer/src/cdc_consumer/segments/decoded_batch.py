"""A decoded batch: the rows of a batch of raw records, and its undecodable records. Pure."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import pyarrow as pa

from bank_common.envelope.decoding import ArrowDecoder, KeyDecoders, decoded_schema
from bank_common.envelope.events import DecodeError
from bank_common.envelope.topic_kind import TopicKind
from cdc_consumer.model.partition_buffer import SegmentBatch


class DecodedBatch(NamedTuple):
    """Rows in the order of their offsets, without the columns of the record; the errors of `rejected` by index."""

    rows: pa.Table
    offsets: Sequence[int]
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
        return DecodedBatch(decoded_schema(kind, ()).empty_table(), [], dict(known))
    # A batch holds no tombstones.
    values, keys = cast("Sequence[bytes]", records.values), records.keys
    if known:
        values, keys = [values[index] for index in indexes], [keys[index] for index in indexes]
    decoded = decoder.decode(values, keys, key_decoders)
    rejected = {**known, **{indexes[index]: error for index, error in decoded.rejected.items()}}
    if not rejected:
        return DecodedBatch(decoded.rows, records.offsets, {})
    offsets = [records.offsets[index] for index in indexes if index not in rejected]
    return DecodedBatch(decoded.rows, offsets, dict(sorted(rejected.items())))
