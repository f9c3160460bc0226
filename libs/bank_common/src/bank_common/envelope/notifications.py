"""Debezium's notifications: the progress of its snapshots."""

import json
from collections.abc import Mapping
from typing import Final

from bank_common.envelope.avro import Column
from bank_common.envelope.avro_reader import AvroReader
from bank_common.envelope.events import DecodeError, DecodeErrorReason, NotificationEvent
from bank_common.envelope.keys import Key
from bank_common.envelope.schemas import require
from bank_common.envelope.values import OutOfRangeError, int64, micros_of_millis

_TABLE_NAME_KEYS: Final = ("scanned_collection", "current_collection_in_progress")


class NotificationDecoder:
    """Debezium's notifications (`notification.enabled.channels=sink`)."""

    columns: tuple[Column, ...] = ()

    def __init__(self, reader: AvroReader) -> None:
        """Raises UnsupportedSchemaError: a field is missing or of another type."""
        require(reader.schema, id="string", aggregate_type="string", type="string", additional_data="map")
        self._reader = reader

    def decode(self, body: bytes, key: Key) -> NotificationEvent | DecodeError:  # noqa: ARG002 - the Decoder's signature
        """Decode one notification; nothing raises."""
        record = self._reader.read(body)
        if isinstance(record, DecodeError):
            return record
        data: Mapping[str, str | None] | None = record["additional_data"]
        fields = data or {}
        try:
            return NotificationEvent(
                id=record["id"],
                aggregate_type=record["aggregate_type"],
                type=record["type"],
                table_name=next((fields[name] for name in _TABLE_NAME_KEYS if fields.get(name)), None),
                row_count=_count(fields.get("total_rows_scanned")),
                status=fields.get("status"),
                additional_data=None if data is None else json.dumps(data, sort_keys=True, ensure_ascii=False),
                source_time=micros_of_millis(record.get("timestamp")),
            )
        except OutOfRangeError as error:
            return DecodeError(DecodeErrorReason.OUT_OF_RANGE, str(error))


def _count(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(2**63))):
        raise OutOfRangeError("total_rows_scanned is not a number of rows")
    return int64(int(text))
