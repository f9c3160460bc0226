"""Records of one value schema -> Arrow rows and rejected records: the reference decoder and the columnar decoder.

Both return the same for any bytes. What the columnar decoder refuses, the reference decoder reads, record by record.
"""

# Arrow has no types.
# pyright: standard

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from bank_common.envelope.avro import Column
from bank_common.envelope.changes import ChangeDecoder
from bank_common.envelope.columnar.arrays import ColumnarRows
from bank_common.envelope.columnar.changes import ColumnarChanges
from bank_common.envelope.columnar.lanes import MAX_BLOCK_BYTES
from bank_common.envelope.columnar.readers import NotColumnarError
from bank_common.envelope.columnar.transactions import ColumnarTransactions
from bank_common.envelope.events import DecodeError, DecodeErrorReason, Event
from bank_common.envelope.keys import EncodedKey, Key, KeyDecoder
from bank_common.envelope.rows import decoded_schema, rows_of
from bank_common.envelope.topic_kind import TopicKind
from bank_common.envelope.transaction_metadata import TransactionDecoder
from bank_common.envelope.wire import HEADER_BYTES, unframe

SLICE: Final = 8192
"""Records that are decoded at once: enough for the cost of a call to vanish, few enough for a processor's cache."""
FEW: Final = 64
"""Up to so many records the reference decoder is as fast."""

KeyDecoders = Mapping[int, KeyDecoder | DecodeError]


class DecodedRows(NamedTuple):
    """The rows of records, in order, with the columns of `decoded_schema`; the errors of the others by index."""

    rows: pa.Table
    rejected: Mapping[int, DecodeError]


class ArrowDecoder(Protocol):
    """Decodes many records of one value schema to Arrow. Pure: any bytes give a row or an error, nothing raises."""

    def decode(self, values: Sequence[bytes], keys: Sequence[bytes | None], key_decoders: KeyDecoders) -> DecodedRows:
        """Decode framed values of this schema, each with its framed key. Every record is a row or rejected."""
        ...


class RecordDecoder(Protocol):
    """Decodes records of one topic kind and one value schema, one by one."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the table; empty for topic kinds with fixed columns."""
        ...

    def decode(self, body: bytes, key: Key) -> Event | DecodeError:
        """Decode the Avro body of one record, with its key. Any bytes give one of the two."""
        ...


class ReferenceDecoder:
    """A `ArrowDecoder` that decodes record by record."""

    def __init__(self, kind: TopicKind, decoder: RecordDecoder) -> None:
        self._kind = kind
        self._decoder = decoder

    def decode(self, values: Sequence[bytes], keys: Sequence[bytes | None], key_decoders: KeyDecoders) -> DecodedRows:
        """See `ArrowDecoder.decode`."""
        events: list[Event] = []
        rejected: dict[int, DecodeError] = {}
        for index, (value, key) in enumerate(zip(values, keys, strict=True)):
            event = self._decoder.decode(value[HEADER_BYTES:], _key(key, key_decoders))
            if isinstance(event, DecodeError):
                rejected[index] = event
            else:
                events.append(event)
        return DecodedRows(rows_of(self._kind, self._decoder.columns, events), rejected)


class ColumnarReader(Protocol):
    """Reads many records of one value schema, column by column. Pure: it refuses unknown forms, nothing raises."""

    def read(self, values: Sequence[bytes], keys: Sequence[bytes | None], decoders: KeyDecoders) -> ColumnarRows:
        """Read framed values, together no more than `MAX_BLOCK_BYTES`, each with its framed key."""
        ...


class ColumnarDecoder:
    """A `ArrowDecoder` that decodes column by column, slice by slice; the reference decodes the refused records."""

    def __init__(self, kind: TopicKind, decoder: RecordDecoder, columnar: ColumnarReader) -> None:
        self._columnar = columnar
        self._reference = ReferenceDecoder(kind, decoder)
        self._schema = decoded_schema(kind, decoder.columns)

    def decode(self, values: Sequence[bytes], keys: Sequence[bytes | None], key_decoders: KeyDecoders) -> DecodedRows:
        """See `ArrowDecoder.decode`."""
        tables: list[pa.Table] = []
        rejected: dict[int, DecodeError] = {}
        for first in range(0, len(values), SLICE):
            part = slice(first, first + SLICE)
            decoded = self._slice(values[part], keys[part], key_decoders)
            tables.append(decoded.rows)
            rejected |= {first + index: error for index, error in decoded.rejected.items()}
        return DecodedRows(pa.concat_tables(tables) if tables else self._schema.empty_table(), rejected)

    def _slice(self, values: Sequence[bytes], keys: Sequence[bytes | None], key_decoders: KeyDecoders) -> DecodedRows:
        if len(values) <= FEW or sum(map(len, values)) > MAX_BLOCK_BYTES:
            return self._reference.decode(values, keys, key_decoders)
        columnar = self._columnar.read(values, keys, key_decoders)
        rows = pa.table([columnar.columns[name] for name in self._schema.names], schema=self._schema)
        if not columnar.refused.any():
            return DecodedRows(rows, {})
        left: list[int] = np.flatnonzero(columnar.refused).tolist()
        other = self._reference.decode([values[index] for index in left], [keys[index] for index in left], key_decoders)
        rejected = {left[index]: error for index, error in other.rejected.items()}
        good = np.flatnonzero(~columnar.refused)
        accepted = np.array([index for index in left if index not in rejected], np.int64)
        order = np.argsort(np.concatenate((good, accepted)), kind="stable")
        return DecodedRows(pa.concat_tables([rows.take(good), other.rows]).take(order), rejected)


def arrow_decoder_for(kind: TopicKind, decoder: RecordDecoder) -> ArrowDecoder:
    """Make the fastest decoder of many records for the schema of a record decoder."""
    try:
        if isinstance(decoder, ChangeDecoder) and not decoder.overshadows:
            return ColumnarDecoder(kind, decoder, ColumnarChanges(decoder.schema, decoder.columns))
        if isinstance(decoder, TransactionDecoder):
            return ColumnarDecoder(kind, decoder, ColumnarTransactions(decoder.schema))
    except NotColumnarError:
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
        return DecodeError(DecodeErrorReason.UNKNOWN_SCHEMA, f"key: schema id {framed.schema_id}")
    return decoder if isinstance(decoder, DecodeError) else EncodedKey(decoder, framed.body)
