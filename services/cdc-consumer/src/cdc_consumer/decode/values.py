"""Wire values -> values for a column's exact Arrow type, or `OutOfRangeError`. Pure, and never rounds.

Avro's own logical types are not used: a reader of decimals rounds silently to the schema's precision.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any, Final

from bank_common.avro import Column, Kind, Wire
from bank_common.columns import UNAVAILABLE_PLACEHOLDER

Convert = Callable[[Any], Any]

PLACEHOLDERS: Final = frozenset({UNAVAILABLE_PLACEHOLDER, UNAVAILABLE_PLACEHOLDER.encode()})
_INT32: Final = 2**31
_INT64: Final = 2**63
_DAY_MICROS: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION_DIGITS: Final = 6
_EXACT: Final = Context(prec=100)  # above any column's precision: scaleb rounds to the context's


class OutOfRangeError(ValueError):
    """The value does not fit its column; the message never holds the value."""


def converter(column: Column) -> Convert:
    """The conversion for one column. It takes what Avro read (never None) and raises `OutOfRangeError` only."""
    match column.kind:
        case Kind.DECIMAL:
            return _decimal(column)
        case Kind.INSTANT:
            return _instant
        case Kind.INT32 | Kind.DATE:
            return _integer(_INT32)
        case Kind.INT64:
            return _integer(_INT64)
        case Kind.TIME:
            return _time(1000 if column.wire is Wire.MILLIS else 1)
        case Kind.TIMESTAMP:
            return _scaled(1000 if column.wire is Wire.MILLIS else 1)
        case Kind.BOOLEAN | Kind.FLOAT32 | Kind.FLOAT64 | Kind.STRING | Kind.BYTES:
            return _same


def _same(value: Any) -> Any:
    return value


def _integer(limit: int) -> Convert:
    def convert(value: int) -> int:
        if -limit <= value < limit:
            return value
        raise OutOfRangeError("an integer is too large")

    return convert


def _scaled(factor: int) -> Convert:
    check = _integer(_INT64)
    return lambda value: check(value * factor)


def _time(factor: int) -> Convert:
    def convert(value: int) -> int:
        micros = value * factor
        if 0 <= micros < _DAY_MICROS:
            return micros
        raise OutOfRangeError("a time is outside the day")

    return convert


def _decimal(column: Column) -> Convert:
    limit, scale = 10**column.precision, -column.scale

    def convert(value: bytes) -> Decimal:
        unscaled = int.from_bytes(value, "big", signed=True)
        if not -limit < unscaled < limit:
            raise OutOfRangeError(f"a decimal has more than {column.precision} digits")
        return _EXACT.scaleb(Decimal(unscaled), scale)

    return convert


def _instant(value: str) -> int:
    """ISO 8601 with a zone -> microseconds since 1970 (UTC)."""
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise OutOfRangeError("an instant is not an ISO 8601 time of the years 1 to 9999") from None
    if parsed.tzinfo is None:
        raise OutOfRangeError("an instant has no zone")
    _, point, fraction = value.partition(".")
    digits = len(fraction) - len(fraction.lstrip("0123456789"))
    if point and any(digit != "0" for digit in fraction[_FRACTION_DIGITS:digits]):
        raise OutOfRangeError("an instant is finer than a microsecond")
    span = parsed - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def int64(value: int) -> int:
    """The value itself. Raises OutOfRangeError beyond 64 bits."""
    if -_INT64 <= value < _INT64:
        return value
    raise OutOfRangeError("an integer is too large")


def micros_of_millis(millis: int | None) -> int | None:
    """Milliseconds since 1970 as microseconds. Raises OutOfRangeError beyond 64 bits."""
    return None if millis is None else int64(millis * 1000)
