"""The decoders: bytes -> events and rows, or a `DecodeError`. No I/O, clock, log or environment; nothing raises."""

from typing import assert_never

from bank_common.avro import UnsupportedSchemaError
from cdc_consumer.decode.avro_reader import AvroReader
from cdc_consumer.decode.changes import ChangeDecoder
from cdc_consumer.decode.decoders import (
    ArrowDecoder,
    DecodedRows,
    KeyDecoders,
    RecordDecoder,
    ReferenceDecoder,
    arrow_decoder_for,
)
from cdc_consumer.decode.keys import EncodedKey, Key, KeyDecoder, key_decoder_for
from cdc_consumer.decode.notifications import NotificationDecoder
from cdc_consumer.decode.rows import decoded_schema, segment_schema
from cdc_consumer.decode.transaction_metadata import TransactionDecoder, counts_captured
from cdc_consumer.decode.wire import Framed, unframe
from cdc_consumer.events import DecodeError, DecodeErrorReason
from cdc_consumer.topics import TopicKind

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
