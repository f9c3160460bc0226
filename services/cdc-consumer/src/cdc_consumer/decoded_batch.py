"""What a batch of raw records holds: its rows, and the records that are none. Pure."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import pyarrow as pa

from cdc_consumer.decode import BatchDecoder, KeyDecoders, content_schema
from cdc_consumer.events import DecodeError
from cdc_consumer.partition_buffer import Batch
from cdc_consumer.topics import TopicKind


class Content(NamedTuple):
    """Rows in the order of their offsets, without the columns that say where a record lay; `rejected` by place."""

    rows: pa.Table
    offsets: Sequence[int]
    rejected: dict[int, DecodeError]


def content_of(kind: TopicKind, batch: Batch, decoder: BatchDecoder | None, key_decoders: KeyDecoders) -> Content:
    """Decode a batch. Each of its records is a row or rejected; those that came rejected stay so."""
    records, known = batch.records, batch.rejected
    places: Sequence[int] = range(records.count)
    if known:
        places = [place for place in places if place not in known]
    if decoder is None or not places:
        return Content(content_schema(kind, ()).empty_table(), [], dict(known))
    # A batch holds no tombstones.
    values, keys = cast("Sequence[bytes]", records.values), records.keys
    if known:
        values, keys = [values[place] for place in places], [keys[place] for place in places]
    decoded = decoder.decode(values, keys, key_decoders)
    rejected = {**known, **{places[place]: error for place, error in decoded.rejected.items()}}
    if not rejected:
        return Content(decoded.rows, records.offsets, {})
    offsets = [records.offsets[place] for place in places if place not in rejected]
    return Content(decoded.rows, offsets, dict(sorted(rejected.items())))
