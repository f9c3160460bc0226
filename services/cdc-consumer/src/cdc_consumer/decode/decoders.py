"""Many records of one value schema -> Arrow rows and rejections: the port, the reference behind it, and the fast way.

Both give the same for any bytes; the fast one leaves to the reference what it does not know, record by record.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from bank_common.avro import Column
from cdc_consumer.decode.changes import ChangeDecoder
from cdc_consumer.decode.columnar.arrays import Fast
from cdc_consumer.decode.columnar.changes import FastChanges
from cdc_consumer.decode.columnar.lanes import MAX_BLOCK_BYTES
from cdc_consumer.decode.columnar.readers import NotVectorisedError
from cdc_consumer.decode.columnar.transactions import FastTransactions
from cdc_consumer.decode.keys import EncodedKey, Key, KeyDecoder
from cdc_consumer.decode.rows import decoded_schema, rows_of
from cdc_consumer.decode.transaction_metadata import TransactionDecoder
from cdc_consumer.decode.wire import HEADER_BYTES, unframe
from cdc_consumer.events import DecodeError, Event, Reason
from cdc_consumer.topics import TopicKind

SLICE: Final = 8192
"""Records that are read in step: enough to forget the cost of a call, few enough for a processor's cache."""
FEW: Final = 64
"""Up to here the reference is as fast."""

KeyDecoders = Mapping[int, KeyDecoder | DecodeError]


class DecodedRows(NamedTuple):
    """What a batch holds: its rows in order, with the columns of `decoded_schema`; and why which record is none."""

    rows: pa.Table
    rejected: Mapping[int, DecodeError]


class BatchDecoder(Protocol):
    """Decodes batches of one value schema. Pure: any bytes give rows or rejections, nothing raises."""

    def decode(self, values: Sequence[bytes], keys: Sequence[bytes | None], key_decoders: KeyDecoders) -> DecodedRows:
        """Decode framed values of this schema, each with its framed key. Every record is a row or a rejection."""
        ...


class Decoder(Protocol):
    """Decodes the records of one topic kind and one value schema, one by one."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns; empty for the kinds that have columns of their own."""
        ...

    def decode(self, body: bytes, key: Key) -> Event | DecodeError:
        """One record's Avro body, with its key. Any bytes give one of the two."""
        ...


class ReferenceDecoder:
    """A `BatchDecoder` that reads record by record."""

    def __init__(self, kind: TopicKind, decoder: Decoder) -> None:
        self._kind = kind
        self._decoder = decoder

    def decode(self, values: Sequence[bytes], keys: Sequence[bytes | None], key_decoders: KeyDecoders) -> DecodedRows:
        """See `BatchDecoder.decode`."""
        events: list[Event] = []
        rejected: dict[int, DecodeError] = {}
        for place, (value, key) in enumerate(zip(values, keys, strict=True)):
            found = self._decoder.decode(value[HEADER_BYTES:], _key(key, key_decoders))
            if isinstance(found, DecodeError):
                rejected[place] = found
            else:
                events.append(found)
        return DecodedRows(rows_of(self._kind, self._decoder.columns, events), rejected)


class FastReader(Protocol):
    """Reads records of one value schema in step. Pure: what it does not know it refuses, nothing raises."""

    def read(self, values: Sequence[bytes], keys: Sequence[bytes | None], decoders: KeyDecoders) -> Fast:
        """Read framed values, together no more than `MAX_BLOCK_BYTES`, each with its framed key."""
        ...


class VectorDecoder:
    """A `BatchDecoder` that reads slices of a batch in step, and what is refused by the reference."""

    def __init__(self, kind: TopicKind, decoder: Decoder, fast: FastReader) -> None:
        self._fast = fast
        self._reference = ReferenceDecoder(kind, decoder)
        self._schema = decoded_schema(kind, decoder.columns)

    def decode(self, values: Sequence[bytes], keys: Sequence[bytes | None], key_decoders: KeyDecoders) -> DecodedRows:
        """See `BatchDecoder.decode`."""
        tables: list[pa.Table] = []
        rejected: dict[int, DecodeError] = {}
        for first in range(0, len(values), SLICE):
            part = slice(first, first + SLICE)
            found = self._slice(values[part], keys[part], key_decoders)
            tables.append(found.rows)
            rejected |= {first + place: error for place, error in found.rejected.items()}
        return DecodedRows(pa.concat_tables(tables) if tables else self._schema.empty_table(), rejected)

    def _slice(self, values: Sequence[bytes], keys: Sequence[bytes | None], key_decoders: KeyDecoders) -> DecodedRows:
        if len(values) <= FEW or sum(map(len, values)) > MAX_BLOCK_BYTES:
            return self._reference.decode(values, keys, key_decoders)
        fast = self._fast.read(values, keys, key_decoders)
        rows = pa.table([fast.columns[name] for name in self._schema.names], schema=self._schema)
        if not fast.refused.any():
            return DecodedRows(rows, {})
        left: list[int] = np.flatnonzero(fast.refused).tolist()
        other = self._reference.decode([values[place] for place in left], [keys[place] for place in left], key_decoders)
        rejected = {left[place]: error for place, error in other.rejected.items()}
        good = np.flatnonzero(~fast.refused)
        accepted = np.array([place for place in left if place not in rejected], np.int64)
        order = np.argsort(np.concatenate((good, accepted)), kind="stable")
        return DecodedRows(pa.concat_tables([rows.take(good), other.rows]).take(order), rejected)


def batch_decoder_for(kind: TopicKind, decoder: Decoder) -> BatchDecoder:
    """The fastest decoder of batches for what one record's decoder reads."""
    try:
        if isinstance(decoder, ChangeDecoder):
            return VectorDecoder(kind, decoder, FastChanges(decoder.schema, decoder.columns))
        if isinstance(decoder, TransactionDecoder):
            return VectorDecoder(kind, decoder, FastTransactions(decoder.schema))
    except NotVectorisedError:
        pass
    return ReferenceDecoder(kind, decoder)


def _key(data: bytes | None, decoders: KeyDecoders) -> Key:
    if data is None:
        return None
    framed = unframe(data)
    if isinstance(framed, DecodeError):
        return DecodeError(framed.reason, f"key: {framed.detail}")
    decoder = decoders.get(framed.schema_id)
    if decoder is None:
        return DecodeError(Reason.UNKNOWN_SCHEMA, f"key: schema id {framed.schema_id}")
    return decoder if isinstance(decoder, DecodeError) else EncodedKey(decoder, framed.body)
