"""Debezium's change envelope: op, after, source, transaction. `before` is never read."""

from collections.abc import Mapping
from typing import Any, Final

from bank_common.envelope.avro import Column, columns_of
from bank_common.envelope.avro_reader import AvroReader, Record
from bank_common.envelope.events import ChangeEvent, DecodeError, DecodeErrorReason
from bank_common.envelope.keys import Key
from bank_common.envelope.schemas import require
from bank_common.envelope.values import (
    MalformedTextError,
    OutOfRangeError,
    converter,
    micros_of_millis,
    text,
    unavailable_values,
)

_ROW_IMAGES: Final = frozenset("rcu")


class ChangeDecoder:
    """Decodes the changes of one table at one version of its schema."""

    schema: Mapping[str, Any]
    columns: tuple[Column, ...]

    def __init__(self, reader: AvroReader) -> None:
        """Raises UnsupportedSchemaError: the schema is no envelope, or a column has no exact type."""
        self.schema = reader.schema
        self.columns = columns_of(reader.schema)
        self._reader = reader
        self._convert = tuple((column.name, converter(column), unavailable_values(column)) for column in self.columns)
        self._names = frozenset(column.name for column in self.columns)
        require(reader.schema, after="record", source="record", op="string")

    def decode(self, body: bytes, key: Key) -> ChangeEvent | DecodeError:
        """Decode one change; nothing raises."""
        record = self._reader.read(body)
        if isinstance(record, DecodeError):
            return record
        try:
            values = self._values(record, key)
            if isinstance(values, DecodeError):
                return values
            return self._event(record, *values)
        except OutOfRangeError as error:
            return DecodeError(DecodeErrorReason.OUT_OF_RANGE, str(error))
        except MalformedTextError as error:
            return DecodeError(DecodeErrorReason.MALFORMED, str(error))

    def _event(self, record: Record, values: tuple[Any, ...], unavailable: tuple[str, ...]) -> ChangeEvent:
        source, transaction = record["source"], record.get("transaction")
        micros = source.get("ts_us")
        return ChangeEvent(
            op=record["op"],
            snapshot=text(source.get("snapshot") or "false"),
            lsn=source.get("lsn"),
            tx_id=source.get("txId"),
            tx_order=None if transaction is None else transaction["total_order"],
            source_time=micros_of_millis(source.get("ts_ms")) if micros is None else micros,
            values=values,
            unavailable=unavailable,
        )

    def _values(self, record: Record, key: Key) -> tuple[tuple[Any, ...], tuple[str, ...]] | DecodeError:
        """The row's values and the names of the columns that were not sent."""
        op: str = record["op"]
        if op in _ROW_IMAGES:
            row = record["after"]
            return DecodeError(DecodeErrorReason.NO_ROW, f"operation {op}") if row is None else self._row(row)
        if op == "d":
            values = self._key(key)
            return values if isinstance(values, DecodeError) else (values, ())
        if op == "t":
            return (None,) * len(self.columns), ()
        return DecodeError(DecodeErrorReason.UNKNOWN_OPERATION, "not one of r, c, u, d, t")

    def _row(self, row: Mapping[str, Any]) -> tuple[tuple[Any, ...], tuple[str, ...]]:
        values: list[Any] = []
        unavailable: list[str] = []
        for name, convert, not_sent in self._convert:
            value = row[name]
            if value is None:
                values.append(None)
            elif not_sent and value in not_sent:
                values.append(None)
                unavailable.append(name)
            else:
                values.append(convert(value))
        return tuple(values), tuple(unavailable)

    def _key(self, key: Key) -> tuple[Any, ...] | DecodeError:
        if key is None:
            return DecodeError(DecodeErrorReason.NO_KEY, "the record has none")
        values = key if isinstance(key, DecodeError) else key.decoder.decode(key.body)
        if isinstance(values, DecodeError):
            return values
        if not values.keys() <= self._names:
            return DecodeError(DecodeErrorReason.NO_KEY, "the key names columns that the table lacks")
        return tuple(values.get(column.name) for column in self.columns)
