"""Debezium's change envelope: op, after, source, transaction. `before` is never read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from bank_common.envelope.avro import Column, columns_of
from bank_common.envelope.avro_reader import AvroReader, Record
from bank_common.envelope.events import ChangeEvent, DecodeError, DecodeErrorReason
from bank_common.envelope.keys import EncodedKey, Key
from bank_common.envelope.schemas import require
from bank_common.envelope.unavailable import NOT_CARRIED_FIELD, UNAVAILABLE_FIELD, marks, names_in, texts_in
from bank_common.envelope.value_errors import MalformedTextError, NotRepresentableError, OutOfRangeError
from bank_common.envelope.values import Convert, converter, micros_of_millis, text, unavailable_values
from bank_common.landing.columns import CHANGE_COLUMNS

_ROW_IMAGES: Final = frozenset("rcu")


class _Row(NamedTuple):
    """The values of a row, the columns that were not sent, and the texts of what no column holds."""

    values: tuple[Any, ...]
    unavailable: tuple[str, ...] = ()
    not_representable: Mapping[str, str] = MappingProxyType({})


def _text_of(convert: Convert, value: Any) -> str:
    try:
        return str(convert(value))
    except NotRepresentableError as error:
        return error.text


class ChangeDecoder:
    """Decodes the changes of one table at one version of its schema."""

    schema: Mapping[str, Any]
    columns: tuple[Column, ...]

    def __init__(self, reader: AvroReader) -> None:
        """Raises UnsupportedSchemaError: the schema is no envelope, or a column has no exact type."""
        self.schema = reader.schema
        columns = columns_of(reader.schema)
        self.columns = tuple(column for column in columns if column.name.lower() not in CHANGE_COLUMNS)
        # Two columns of one name have no place in a segment: of the source's own the text is kept.
        self._overshadowed = tuple((column.name, converter(column)) for column in columns if column not in self.columns)
        self._reader = reader
        self._marks = marks(reader.schema)
        self._convert = tuple(
            (column.name, converter(column), () if self._marks else unavailable_values(column))
            for column in self.columns
        )
        self._names = frozenset(column.name for column in self.columns)
        self._all_names = frozenset(column.name for column in columns)
        require(reader.schema, after="record", source="record", op="string")

    @property
    def overshadows(self) -> bool:
        """Whether the table has columns whose names are ours: only this decoder keeps them."""
        return bool(self._overshadowed)

    def decode(self, body: bytes, key: Key) -> ChangeEvent | DecodeError:
        """Decode one change; nothing raises."""
        record = self._reader.read(body)
        if isinstance(record, DecodeError):
            return record
        try:
            row = self._values(record, key)
            return row if isinstance(row, DecodeError) else self._event(record, row)
        except OutOfRangeError as error:
            return DecodeError(DecodeErrorReason.OUT_OF_RANGE, str(error))
        except MalformedTextError as error:
            return DecodeError(DecodeErrorReason.MALFORMED, str(error))

    def _event(self, record: Record, row: _Row) -> ChangeEvent:
        source, transaction = record["source"], record.get("transaction")
        micros = source.get("ts_us")
        return ChangeEvent(
            op=record["op"],
            snapshot=text(source.get("snapshot") or "false"),
            lsn=source.get("lsn"),
            tx_id=source.get("txId"),
            tx_order=None if transaction is None else transaction["total_order"],
            source_time=micros_of_millis(source.get("ts_ms")) if micros is None else micros,
            values=row.values,
            unavailable=row.unavailable,
            not_representable=row.not_representable,
        )

    def _values(self, record: Record, key: Key) -> _Row | DecodeError:
        op: str = record["op"]
        if op in _ROW_IMAGES:
            row = record["after"]
            if row is None:
                return DecodeError(DecodeErrorReason.NO_ROW, f"operation {op}")
            return self._row(row, record, key)
        if op == "d":
            values = self._key(key)
            return values if isinstance(values, DecodeError) else _Row(values)
        if op == "t":
            return _Row((None,) * len(self.columns))
        return DecodeError(DecodeErrorReason.UNKNOWN_OPERATION, "not one of r, c, u, d, t")

    def _row(self, row: Mapping[str, Any], record: Record, key: Key) -> _Row | DecodeError:
        values: list[Any] = []
        unavailable: list[str] = []
        texts: dict[str, str] = {}
        for name, convert, not_sent in self._convert:
            value = row[name]
            if value is None:
                values.append(None)
            elif not_sent and value in not_sent:
                values.append(None)
                unavailable.append(name)
            else:
                try:
                    values.append(convert(value))
                except NotRepresentableError as error:
                    values.append(None)
                    texts[name] = error.text
        for name, convert in self._overshadowed:
            if row[name] is not None:
                texts[name] = _text_of(convert, row[name])
        if isinstance(key, EncodedKey) and not texts.keys().isdisjoint(key.decoder.names):
            # Without its key a row is nobody's.
            return DecodeError(DecodeErrorReason.OUT_OF_RANGE, "a value of the key has no form")
        if not self._marks:
            return _Row(tuple(values), tuple(unavailable), texts)
        return self._marked(tuple(values), texts, record[UNAVAILABLE_FIELD], record[NOT_CARRIED_FIELD])

    def _marked(
        self, values: tuple[Any, ...], texts: dict[str, str], unavailable: str | None, not_carried: str | None
    ) -> _Row | DecodeError:
        """The row with what its envelope says that it came without."""
        names = () if unavailable is None else names_in(text(unavailable), self._all_names)
        left_out = {} if not_carried is None else texts_in(text(not_carried), self._all_names)
        if names is None or left_out is None:
            return DecodeError(DecodeErrorReason.MALFORMED, "what it came without is no JSON of the table's columns")
        return _Row(values, names, texts | left_out)

    def _key(self, key: Key) -> tuple[Any, ...] | DecodeError:
        if key is None:
            return DecodeError(DecodeErrorReason.NO_KEY, "the record has none")
        values = key if isinstance(key, DecodeError) else key.decoder.decode(key.body)
        if isinstance(values, DecodeError):
            return values
        if not values.keys() <= self._names:
            return DecodeError(DecodeErrorReason.NO_KEY, "the key names columns that the table lacks")
        return tuple(values.get(column.name) for column in self.columns)
