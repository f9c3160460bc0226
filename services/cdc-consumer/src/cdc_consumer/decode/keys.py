"""Kafka keys: what a deleted row is known by.

With replica identity DEFAULT Debezium invents values in a delete's `before`; only the key is true.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bank_common.avro import UnsupportedSchemaError, record_columns
from cdc_consumer.decode.avro_reader import BodyReader
from cdc_consumer.decode.columnar.keys import FastKeys
from cdc_consumer.decode.columnar.readers import NotVectorisedError
from cdc_consumer.decode.values import MalformedTextError, OutOfRangeError, converter
from cdc_consumer.events import DecodeError, Reason


class KeyDecoder:
    """Reads keys of one schema into values ready for their columns; `fast` reads many at once, if it can."""

    fast: FastKeys | None

    def __init__(self, reader: BodyReader) -> None:
        """Raises UnsupportedSchemaError: a key column has no exact type."""
        self._reader = reader
        self._convert = {column.name: converter(column) for column in record_columns(reader.schema)}
        try:
            self.fast = FastKeys(reader.schema)
        except NotVectorisedError:
            self.fast = None

    def decode(self, body: bytes) -> Mapping[str, Any] | DecodeError:
        """The key's columns by name."""
        record = self._reader.read(body)
        if isinstance(record, DecodeError):
            return DecodeError(record.reason, f"key: {record.detail}")
        try:
            return {
                name: None if record[name] is None else convert(record[name]) for name, convert in self._convert.items()
            }
        except OutOfRangeError as error:
            return DecodeError(Reason.OUT_OF_RANGE, f"key: {error}")
        except MalformedTextError as error:
            return DecodeError(Reason.MALFORMED, f"key: {error}")


class EncodedKey(NamedTuple):
    """A record's key, not read yet: only deletes need theirs."""

    decoder: KeyDecoder
    body: bytes


Key = EncodedKey | DecodeError | None
"""A record's key, why it can't be read, or None for a record without one."""


def key_decoder_for(schema_text: str) -> KeyDecoder | DecodeError:
    """The decoder of one key schema, or why its keys can't be read."""
    reader = BodyReader.parse(schema_text, unread_text=True)
    if isinstance(reader, DecodeError):
        return DecodeError(reader.reason, f"key: {reader.detail}")
    try:
        return KeyDecoder(reader)
    except UnsupportedSchemaError as error:
        return DecodeError(Reason.UNSUPPORTED_SCHEMA, f"key: {error}")
