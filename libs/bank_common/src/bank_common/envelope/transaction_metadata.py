"""Debezium's transaction metadata: BEGIN and END of the source's transactions."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bank_common.envelope.avro import Column
from bank_common.envelope.avro_reader import AvroReader
from bank_common.envelope.events import DecodeError, DecodeErrorReason, TransactionEvent
from bank_common.envelope.keys import Key
from bank_common.envelope.schemas import items_of, require
from bank_common.envelope.transaction_id import parse_transaction_id
from bank_common.envelope.values import OutOfRangeError, int64, micros_of_millis

_SHORT: Final = 64  # a text of fewer bytes has one byte of length before it


def counts_captured(values: Iterable[bytes], captured: Iterable[str]) -> bool:
    """Whether one of these records is an END that counts a change of one of these tables, without decoding it.

    A hint for when to flush, never for what to write: other bytes may look like the count of a table.
    """
    together = b"\0".join(values)
    return any(_counts(together, name.encode()) for name in captured)


def _counts(data: bytes, name: bytes) -> bool:
    mark = bytes([2 * len(name)]) + name if len(name) < _SHORT else name
    start = data.find(mark)
    while start >= 0:
        after = start + len(mark)
        if data[after : after + 1] != b"\0":
            return True
        start = data.find(mark, after)
    return False


class TransactionDecoder:
    """Debezium's transaction metadata (`provide.transaction.metadata`)."""

    schema: Mapping[str, Any]
    columns: tuple[Column, ...] = ()

    def __init__(self, reader: AvroReader) -> None:
        """Raises UnsupportedSchemaError: a field is missing or of another type."""
        require(reader.schema, status="string", id="string", event_count="long", data_collections="array", ts_ms="long")
        require(items_of(reader.schema, "data_collections"), data_collection="string", event_count="long")
        self.schema = reader.schema
        self._reader = reader

    def decode(self, body: bytes, key: Key) -> TransactionEvent | DecodeError:  # noqa: ARG002 - the Decoder's signature
        """Decode one BEGIN or END; nothing raises."""
        record = self._reader.read(body)
        if isinstance(record, DecodeError):
            return record
        if record["status"] not in ("BEGIN", "END"):
            return DecodeError(DecodeErrorReason.UNKNOWN_OPERATION, "the status is neither BEGIN nor END")
        collections = record["data_collections"]
        # The connector's schema lets an item of the list be null.
        if collections is not None and None in collections:
            return DecodeError(DecodeErrorReason.MALFORMED, "a collection is null")
        try:
            tx_id, lsn = parse_transaction_id(record["id"] or "")
            return TransactionEvent(
                status=record["status"],
                tx_id=int64(tx_id),
                lsn=int64(lsn),
                event_count=record["event_count"],
                collections=None
                if collections is None
                else tuple((item["data_collection"], item["event_count"]) for item in collections),
                source_time=micros_of_millis(record["ts_ms"]),
            )
        except OutOfRangeError as error:
            return DecodeError(DecodeErrorReason.OUT_OF_RANGE, str(error))
        except ValueError:
            return DecodeError(DecodeErrorReason.MALFORMED, "the transaction's id is not txId:lsn")
