"""Undecodable records, one for each reason with the policy ToDeadLetters."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from envelope_testing.debezium import change, framed

from bank_common.envelope.events import DecodeErrorReason

_UNKNOWN_ID = b"\0\0\x7f\xff\xff"
_NINETEEN_DIGITS = (10**18).to_bytes(8, "big")  # one more than the column has


class Poison(NamedTuple):
    """One undecodable record, and the reason."""

    reason: DecodeErrorReason
    key: bytes | None
    value: bytes


def poisons(schema_id: int, schema: Mapping[str, Any], key: bytes, row: Mapping[str, Any]) -> list[Poison]:
    """One of each kind, made of the insertion of a good row of accounts."""

    def value(op: str, after: Mapping[str, Any] | None) -> bytes:
        return framed(schema_id, schema, change(op, after))

    good = value("c", row)
    return [
        Poison(DecodeErrorReason.BAD_MAGIC, key, b"\x01" + good[1:]),
        Poison(DecodeErrorReason.TRUNCATED, key, good[:3]),
        Poison(DecodeErrorReason.TRUNCATED, key, good[:25]),
        Poison(DecodeErrorReason.UNKNOWN_SCHEMA, key, _UNKNOWN_ID + good[5:]),
        Poison(DecodeErrorReason.MALFORMED, key, good.replace(b"CHECKING", b"CHECK\xffNG")),
        Poison(DecodeErrorReason.TRAILING_BYTES, key, good + b"\0"),
        Poison(DecodeErrorReason.OUT_OF_RANGE, key, value("c", {**row, "created_at": "2026-02-30T10:00:00Z"})),
        Poison(DecodeErrorReason.OUT_OF_RANGE, key, value("c", {**row, "balance": _NINETEEN_DIGITS})),
        Poison(DecodeErrorReason.UNKNOWN_OPERATION, key, value("x", row)),
        Poison(DecodeErrorReason.NO_ROW, key, value("u", None)),
        Poison(DecodeErrorReason.NO_KEY, None, value("d", None)),
    ]
