"""What a batch of raw records holds: its rows, and the records that are none. Pure."""

from typing import NamedTuple

import pyarrow as pa

from cdc_consumer.decode import BatchDecoder, KeyDecoders, content_schema
from cdc_consumer.events import DecodeError
from cdc_consumer.line import Batch
from cdc_consumer.topics import Kind


class Content(NamedTuple):
    """Rows in the order of their offsets, without the columns that say where a record lay; `rejected` by place."""

    rows: pa.Table
    offsets: list[int]
    rejected: dict[int, DecodeError]


def content_of(kind: Kind, batch: Batch, decoder: BatchDecoder | None, key_decoders: KeyDecoders) -> Content:
    """Decode a batch. Each of its records is a row or rejected; those that came rejected stay so."""
    records = batch.records
    places = [place for place in range(records.count) if place not in batch.rejected]
    if decoder is None or not places:
        return Content(content_schema(kind, ()).empty_table(), [], dict(batch.rejected))
    if batch.rejected:
        values = [records.values[place] or b"" for place in places]
        keys = [records.keys[place] for place in places]
    else:
        values, keys = [value or b"" for value in records.values], records.keys
    decoded = decoder.decode(values, keys, key_decoders)
    rejected = dict(batch.rejected) | {places[place]: error for place, error in decoded.rejected.items()}
    return Content(
        decoded.rows,
        [records.offsets[place] for place in places if place not in rejected],
        dict(sorted(rejected.items())),
    )
