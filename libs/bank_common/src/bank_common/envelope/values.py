"""Wire values -> values for a column's exact Arrow type, or `OutOfRangeError`. Pure, and never rounds.

Avro's own logical types are not used: a reader of decimals rounds silently to the schema's precision.
An infinite date or time is out of range: no column holds it, and the largest finite one is another value.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any, Final

from bank_common.envelope.avro import Column, ColumnType, Wire
from bank_common.envelope.structured import FarAwayError, json_converter
from bank_common.landing.columns import UNAVAILABLE_PLACEHOLDER

Convert = Callable[[Any], Any]

_PLACEHOLDER_BYTES: Final = UNAVAILABLE_PLACEHOLDER.encode()
_PLACEHOLDERS: Final = {
    ColumnType.STRING: (UNAVAILABLE_PLACEHOLDER,),
    ColumnType.INSTANT: (UNAVAILABLE_PLACEHOLDER,),
    ColumnType.BYTES: (_PLACEHOLDER_BYTES,),
    # Of texts one element, of integers one element per byte.
    ColumnType.ARRAY: ([UNAVAILABLE_PLACEHOLDER], list(_PLACEHOLDER_BYTES)),
    ColumnType.MAP: ({UNAVAILABLE_PLACEHOLDER: UNAVAILABLE_PLACEHOLDER},),
}
_INT32: Final = 2**31
_INT64: Final = 2**63
_DAY_MICROS: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION_DIGITS: Final = 6
# What Postgres can hold, 4714-11-24 BC to 5874897-12-31 (days) and to what 64 bits of microseconds reach. The connector
# sends infinities as numbers beyond (seen: 2146033979 days, -2^63 us; PGStatement.DATE_POSITIVE_INFINITY).
DAYS: Final = range(-2_440_588, 2_145_042_906)
TIMESTAMPS: Final = range(-210_866_803_200_000_000, 9_223_372_036_825_200_000)
# What numeric without a scale can hold at the source: 131,072 digits before the point and 16,383 after it. Python
# makes no text of more than 4,300 digits, and no bank has one.
_MAX_SCALE: Final = 16_383
_MAX_VARIABLE_BITS: Final = 14_000
_EXACT: Final = Context(prec=100)  # above any column's precision: scaleb rounds to the context's


class OutOfRangeError(ValueError):
    """The value does not fit its column; the message never holds the value."""


class MalformedTextError(ValueError):
    """The bytes of a text are not UTF-8."""


def converter(column: Column) -> Convert:
    """The conversion for one column. It takes what Avro read (never None) and raises `OutOfRangeError` only."""
    match column.type:
        case ColumnType.DECIMAL:
            return _decimal(column)
        case ColumnType.INSTANT:
            return _instant
        case ColumnType.INT32:
            return _integer(_INT32)
        case ColumnType.INT64:
            return _integer(_INT64)
        case ColumnType.DATE:
            return _day
        case ColumnType.TIME:
            return _time(column.wire)
        case ColumnType.TIMESTAMP:
            return _timestamp(column.wire)
        case ColumnType.STRING:
            return text
        case ColumnType.BOOLEAN | ColumnType.FLOAT32 | ColumnType.FLOAT64 | ColumnType.BYTES:
            return _same
        case ColumnType.VARIABLE_DECIMAL:
            return _variable_decimal
        case ColumnType.ARRAY | ColumnType.MAP | ColumnType.STRUCT:
            return _structured(column)


def unavailable_values(column: Column) -> tuple[Any, ...]:
    """The wire values that mean "not sent": the source did not touch this TOASTed value. Empty when there are none."""
    return _PLACEHOLDERS.get(column.type, ())


def _same(value: Any) -> Any:
    return value


def text(value: str) -> str:
    """The value itself. Raises MalformedTextError when its bytes were not UTF-8 (read as lone surrogates)."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise MalformedTextError("text is not UTF-8") from None
    return value


def _integer(limit: int) -> Convert:
    def convert(value: int) -> int:
        if -limit <= value < limit:
            return value
        raise OutOfRangeError("an integer is too large")

    return convert


def _day(value: int) -> int:
    if value not in DAYS:
        raise OutOfRangeError("a date is infinite or too far away")
    return value


def _micros(value: int, wire: Wire) -> int:
    if wire is Wire.MILLIS:
        return value * 1000
    if wire is Wire.NANOS:
        micros, rest = divmod(value, 1000)
        if rest:
            raise OutOfRangeError("a time is finer than a microsecond")
        return micros
    return value


def _timestamp(wire: Wire) -> Convert:
    def convert(value: int) -> int:
        micros = _micros(value, wire)
        if micros not in TIMESTAMPS:
            raise OutOfRangeError("a timestamp is infinite or too far away")
        return micros

    return convert


def _time(wire: Wire) -> Convert:
    def convert(value: int) -> int:
        micros = _micros(value, wire)
        if 0 <= micros < _DAY_MICROS:
            return micros
        raise OutOfRangeError("a time is outside the day")

    return convert


def _variable_decimal(value: Any) -> str:
    scale = value["scale"]
    if not -_MAX_SCALE <= scale <= _MAX_SCALE:
        raise OutOfRangeError(f"a decimal's scale is beyond {_MAX_SCALE}")
    unscaled = int.from_bytes(value["value"], "big", signed=True)
    # Python's own limit: a longer text is not made (and takes quadratic time).
    if unscaled.bit_length() > _MAX_VARIABLE_BITS:
        raise OutOfRangeError("a decimal has too many digits")
    return format(Decimal((unscaled < 0, tuple(map(int, str(abs(unscaled)))), -scale)), "f")


def _decimal(column: Column) -> Convert:
    limit, scale = 10**column.precision, -column.scale

    def convert(value: bytes) -> Decimal:
        unscaled = int.from_bytes(value, "big", signed=True)
        if not -limit < unscaled < limit:
            raise OutOfRangeError(f"a decimal has more than {column.precision} digits")
        return _EXACT.scaleb(Decimal(unscaled), scale)

    return convert


def _structured(column: Column) -> Convert:
    render = json_converter(column, converter)

    def convert(value: Any) -> str:
        try:
            return render(value)
        except (FarAwayError, OverflowError) as error:
            raise OutOfRangeError(str(error)) from None

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
