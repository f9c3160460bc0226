"""Decoders of record keys: a deleted row has no other columns.

With replica identity DEFAULT Debezium invents values in the `before` of a delete; only the key is true.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bank_common.envelope.avro import UnsupportedSchemaError, record_columns
from bank_common.envelope.avro_reader import AvroReader
from bank_common.envelope.columnar.keys import ColumnarKeys
from bank_common.envelope.columnar.readers import NotColumnarError
from bank_common.envelope.events import DecodeError, DecodeErrorReason
from bank_common.envelope.value_errors import MalformedTextError, OutOfRangeError
from bank_common.envelope.values import converter


class KeyDecoder:
    """Decodes keys of one schema, one by one; `columnar` decodes many at once, where the schema allows it."""

    columnar: ColumnarKeys | None
    names: frozenset[str]
    """The columns of the key."""

    def __init__(self, reader: AvroReader) -> None:
        """Raises UnsupportedSchemaError: a key column has no exact type."""
        self._reader = reader
        self._convert = {column.name: converter(column) for column in record_columns(reader.schema)}
        self.names = frozenset(self._convert)
        try:
            self.columnar = ColumnarKeys(reader.schema)
        except NotColumnarError:
            self.columnar = None

    def decode(self, body: bytes) -> Mapping[str, Any] | DecodeError:
        """Decode the columns of a key, by name."""
        record = self._reader.read(body)
        if isinstance(record, DecodeError):
            return DecodeError(record.reason, f"key: {record.detail}")
        try:
            return {
                name: None if record[name] is None else convert(record[name]) for name, convert in self._convert.items()
            }
        except OutOfRangeError as error:
            return DecodeError(DecodeErrorReason.OUT_OF_RANGE, f"key: {error}")
        except MalformedTextError as error:
            return DecodeError(DecodeErrorReason.MALFORMED, f"key: {error}")


class EncodedKey(NamedTuple):
    """The key of a record, not decoded yet: only deletes need theirs."""

    decoder: KeyDecoder
    body: bytes


Key = EncodedKey | DecodeError | None
"""The key of a record, the reason why it can't be decoded, or None for a record without a key."""


def key_decoder_for(schema_text: str) -> KeyDecoder | DecodeError:
    """Make the decoder of one key schema, or say why its keys can't be decoded."""
    reader = AvroReader.parse(schema_text, unread_text=True)
    if isinstance(reader, DecodeError):
        return DecodeError(reader.reason, f"key: {reader.detail}")
    try:
        return KeyDecoder(reader)
    except UnsupportedSchemaError as error:
        return DecodeError(DecodeErrorReason.UNSUPPORTED_SCHEMA, f"key: {error}")
