"""The decoders: bytes -> events and rows, or a `DecodeError`. No I/O, clock, log or environment; nothing raises."""

# Arrow has no types.
# pyright: standard

from typing import assert_never

from bank_common.envelope.avro import UnsupportedSchemaError
from bank_common.envelope.avro_reader import AvroReader
from bank_common.envelope.changes import ChangeDecoder
from bank_common.envelope.decoders import (
    ArrowDecoder,
    DecodedRows,
    KeyDecoders,
    RecordDecoder,
    ReferenceDecoder,
    arrow_decoder_for,
)
from bank_common.envelope.events import DecodeError, DecodeErrorReason
from bank_common.envelope.keys import EncodedKey, Key, KeyDecoder, key_decoder_for
from bank_common.envelope.notifications import NotificationDecoder
from bank_common.envelope.rows import decoded_schema, segment_schema
from bank_common.envelope.topic_kind import TopicKind
from bank_common.envelope.transaction_metadata import TransactionDecoder, counts_captured
from bank_common.envelope.wire import Framed, unframe

__all__ = [
    "ArrowDecoder",
    "DecodedRows",
    "EncodedKey",
    "Framed",
    "Key",
    "KeyDecoder",
    "KeyDecoders",
    "RecordDecoder",
    "ReferenceDecoder",
    "arrow_decoder_for",
    "counts_captured",
    "decoded_schema",
    "decoder_for",
    "key_decoder_for",
    "segment_schema",
    "unframe",
]


def decoder_for(kind: TopicKind, schema_text: str) -> RecordDecoder | DecodeError:
    """Make the record decoder of one value schema, or say why its records can't be carried."""
    reader = AvroReader.parse(schema_text, unread_text=kind is TopicKind.CHANGES)
    if isinstance(reader, DecodeError):
        return reader
    try:
        match kind:
            case TopicKind.CHANGES:
                return ChangeDecoder(reader)
            case TopicKind.TRANSACTIONS:
                return TransactionDecoder(reader)
            case TopicKind.NOTIFICATIONS:
                return NotificationDecoder(reader)
            case _:
                assert_never(kind)
    except UnsupportedSchemaError as error:
        return DecodeError(DecodeErrorReason.UNSUPPORTED_SCHEMA, str(error))
