"""The decode core: bytes -> event, or the reason why not. No I/O, clock, log or environment; nothing raises."""

from typing import Protocol, assert_never

from bank_common.avro import Column, UnsupportedSchemaError
from cdc_consumer.decode.body import BodyReader
from cdc_consumer.decode.changes import ChangeDecoder
from cdc_consumer.decode.keys import EncodedKey, Key, KeyDecoder, key_decoder_for
from cdc_consumer.decode.progress import NotificationDecoder, TransactionDecoder
from cdc_consumer.decode.wire import Framed, unframe
from cdc_consumer.events import DecodeError, Event, Reason
from cdc_consumer.topics import Kind

__all__ = ["Decoder", "EncodedKey", "Framed", "Key", "KeyDecoder", "decoder_for", "key_decoder_for", "unframe"]


class Decoder(Protocol):
    """Decodes the records of one topic kind and one value schema."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns; empty for the kinds that have columns of their own."""
        ...

    def decode(self, body: bytes, key: Key) -> Event | DecodeError:
        """One record's Avro body, with its key. Any bytes give one of the two."""
        ...


def decoder_for(kind: Kind, schema_text: str) -> Decoder | DecodeError:
    """The decoder of one value schema, or why its records can't be carried."""
    reader = BodyReader.parse(schema_text, unread_text=kind is Kind.CHANGES)
    if isinstance(reader, DecodeError):
        return reader
    try:
        match kind:
            case Kind.CHANGES:
                return ChangeDecoder(reader)
            case Kind.TRANSACTIONS:
                return TransactionDecoder(reader)
            case Kind.NOTIFICATIONS:
                return NotificationDecoder(reader)
            case _:
                assert_never(kind)
    except UnsupportedSchemaError as error:
        return DecodeError(Reason.UNSUPPORTED_SCHEMA, str(error))
