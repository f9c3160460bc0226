"""The Avro reader of the reference decoder: bytes -> Python values, or a `DecodeError`, for any bytes."""

import io
import json
from collections.abc import Mapping
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader  # pyright: ignore[reportUnknownVariableType] - of an IO without a type

from bank_common.envelope.events import DecodeError, DecodeErrorReason

Record = Mapping[str, Any]


class AvroReader:
    """Reads Avro bodies of one schema. Logical types are left as their raw values (see `bank_common.envelope.values`).

    With `unread_text`, text that is not UTF-8 is read as lone surrogates, which the caller refuses in fields that it
    uses: most fields of an envelope are never used.
    """

    def __init__(self, schema: Mapping[str, Any], *, unread_text: bool = False) -> None:
        self.schema = schema
        self._text_errors = "surrogateescape" if unread_text else "strict"
        self._parsed = parse_schema(cast("dict[str, Any]", _without_logical_types(schema)))

    @classmethod
    def parse(cls, text: str, *, unread_text: bool = False) -> "AvroReader | DecodeError":
        """Compile a schema's JSON text; one that is no Avro record is a `DecodeError`."""
        try:
            schema = json.loads(text)
            if not isinstance(schema, dict) or cast("dict[str, Any]", schema).get("type") != "record":
                return DecodeError(DecodeErrorReason.UNSUPPORTED_SCHEMA, "the schema is not a record")
            return cls(cast("dict[str, Any]", schema), unread_text=unread_text)
        except Exception as error:  # noqa: BLE001 - fastavro names no closed set of errors for a bad schema
            return DecodeError(DecodeErrorReason.UNSUPPORTED_SCHEMA, f"not an Avro schema: {type(error).__name__}")

    def read(self, body: bytes) -> Record | DecodeError:
        """Read one record, which must use every byte of the body."""
        source = io.BytesIO(body)
        try:
            record = schemaless_reader(source, self._parsed, None, handle_unicode_errors=self._text_errors)
        except EOFError:
            return DecodeError(DecodeErrorReason.TRUNCATED, "the body ends inside a field")
        except Exception as error:  # noqa: BLE001 - fastavro names no closed set of errors for bad bytes
            return DecodeError(DecodeErrorReason.MALFORMED, type(error).__name__)
        left = len(body) - source.tell()
        if left:
            return DecodeError(DecodeErrorReason.TRAILING_BYTES, f"{left} bytes")
        return cast("Record", record)


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_logical_types(member) for member in cast("list[Any]", schema)]
    if isinstance(schema, Mapping):
        definition = cast("Mapping[str, Any]", schema)
        return {name: _without_logical_types(value) for name, value in definition.items() if name != "logicalType"}
    return schema
