"""The decoded form of a record: one of three events, or a `DecodeError`."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple


class ChangeEvent(NamedTuple):
    """One change of one row, or a TRUNCATE (`op` t) of the whole table.

    `values` are the table's columns in the schema's order, ready for their Arrow types; for a delete the key's
    columns only, for a TRUNCATE none: everything else is None. `unavailable` names the columns whose value the
    source did not send (unchanged TOAST). `not_representable` has the text of each value that no column of its type
    holds; the value itself is None. `source_time` is the commit time in microseconds since 1970 (UTC).
    """

    op: str
    snapshot: str
    lsn: int | None
    tx_id: int | None
    tx_order: int | None
    source_time: int | None
    values: tuple[Any, ...]
    unavailable: tuple[str, ...] = ()
    not_representable: Mapping[str, str] = MappingProxyType({})


class TransactionEvent(NamedTuple):
    """BEGIN or END of a source transaction. `collections` is (table, changes), None on BEGIN."""

    status: str
    tx_id: int
    lsn: int
    event_count: int | None
    collections: tuple[tuple[str, int], ...] | None
    source_time: int | None


class NotificationEvent(NamedTuple):
    """A notification of Debezium about the progress of a snapshot."""

    id: str
    aggregate_type: str
    type: str
    table_name: str | None
    row_count: int | None
    status: str | None
    additional_data: str | None
    source_time: int | None


Event = ChangeEvent | TransactionEvent | NotificationEvent


class DecodeErrorReason(Enum):
    """Why a record can't be decoded. A closed set: each reason has an error policy."""

    BAD_MAGIC = "not in the Confluent wire format"
    TRUNCATED = "truncated"
    UNKNOWN_SCHEMA = "its schema id is unknown to the registry"
    UNSUPPORTED_SCHEMA = "its schema holds a type that can't be carried exactly"
    MALFORMED = "its bytes do not fit its schema"
    TRAILING_BYTES = "bytes are left after the record"
    OUT_OF_RANGE = "a value is outside its column's type"
    UNKNOWN_OPERATION = "its operation is unknown"
    NO_ROW = "it has no row image"
    NO_KEY = "a delete without a key"


class DecodeError(NamedTuple):
    """A record that can't be decoded; `detail` says where, never with values of a row."""

    reason: DecodeErrorReason
    detail: str
