"""Wire values -> values for a column's exact Arrow type, or `OutOfRangeError`. Pure, and never rounds.

Avro's own logical types are not used: a reader of decimals rounds silently to the schema's precision.
What the source holds and no column does (an infinity, NaN, a year beyond 9999) is `NotRepresentableError` with its
text: the largest finite value would be another one. What the source can't hold at all is a damaged record.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, Final

from bank_common.envelope.avro import Column, ColumnType, Wire
from bank_common.envelope.calendar import DAY_MICROS, date_text, timestamp_text
from bank_common.envelope.structured import json_converter
from bank_common.envelope.value_errors import MalformedTextError, NotRepresentableError, OutOfRangeError
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
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION_DIGITS: Final = 6
# The years 1 to 9999, which every part after the landing has a form for.
DAYS: Final = range(-719_162, 2_932_897)
TIMESTAMPS: Final = range(DAYS.start * DAY_MICROS, DAYS.stop * DAY_MICROS)
# What Postgres can hold, 4714-11-24 BC to 5874897-12-31 (days) and to what 64 bits of microseconds reach. The connector
# sends infinities as numbers beyond (seen: 2146033979 days, -2^63 us; PGStatement.DATE_POSITIVE_INFINITY).
_SOURCE_DAYS: Final = range(-2_440_588, 2_145_042_906)
_SOURCE_TIMESTAMPS: Final = range(-210_866_803_200_000_000, 9_223_372_036_825_200_000)
# What numeric without a scale can hold at the source: 131,072 digits before the point and 16,383 after it. Python
# makes no text of more than 4,300 digits, and no bank has one.
_MAX_SCALE: Final = 16_383
_MAX_VARIABLE_BITS: Final = 14_000
_MAX_VARIABLE_DIGITS: Final = 131_072 + _MAX_SCALE + 2
_FAR: Final = "a time is infinite or outside the years 1 to 9999"
_EXACT: Final = Context(prec=100)  # above any column's precision: scaleb rounds to the context's
# An instant of another year as the connector writes it.
_FAR_INSTANT: Final = re.compile(
    r"-?infinity|([+-]\d{4,9}|\d{5,9}|0000)-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d(:\d\d)?)", re.ASCII
)
# Java writes small and large numbers with an exponent.
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
_NO_NUMBERS: Final = {"NAN": "NaN", "POSITIVE_INFINITY": "Infinity", "NEGATIVE_INFINITY": "-Infinity"}
"""The connector's words (SpecialValueDecimal) -> Postgres' own."""


def converter(column: Column) -> Convert:
    """The conversion for one column. It takes what Avro read (never None) and raises `OutOfRangeError` only."""
    match column.type:
        case ColumnType.DECIMAL:
            return _decimal_text(column) if column.wire is Wire.TEXT else _decimal(column)
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
            return _variable_decimal_text if column.wire is Wire.TEXT else _variable_decimal
        case ColumnType.ARRAY | ColumnType.MAP | ColumnType.STRUCT:
            return _structured(column)


def unavailable_values(column: Column) -> tuple[Any, ...]:
    """The wire values that mean "not sent" in an envelope that does not say so itself. Empty when there are none."""
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
    if value in DAYS:
        return value
    raise NotRepresentableError(_FAR, date_text(value) if value in _SOURCE_DAYS else _infinity(value))


def _infinity(value: int) -> str:
    return "infinity" if value > 0 else "-infinity"


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
        if micros in TIMESTAMPS:
            return micros
        raise NotRepresentableError(_FAR, timestamp_text(micros) if micros in _SOURCE_TIMESTAMPS else _infinity(micros))

    return convert


def _time(wire: Wire) -> Convert:
    def convert(value: int) -> int:
        micros = _micros(value, wire)
        if 0 <= micros < DAY_MICROS:
            return micros
        if micros == DAY_MICROS:
            raise NotRepresentableError("a time is the end of the day", "24:00:00")
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


def _variable_decimal_text(value: str) -> str:
    if value in _NO_NUMBERS:
        return _NO_NUMBERS[value]
    number = _number(value)
    if abs(number.adjusted()) > _MAX_VARIABLE_DIGITS or len(value) > _MAX_VARIABLE_DIGITS:
        raise OutOfRangeError("a decimal has too many digits")
    return format(number, "f")


def _decimal_text(column: Column) -> Convert:
    unit, exact = Decimal(1).scaleb(-column.scale), Context(prec=column.precision, traps=[Inexact, InvalidOperation])

    def convert(value: str) -> Decimal:
        if value in _NO_NUMBERS:
            raise NotRepresentableError("a decimal is no number", _NO_NUMBERS[value])
        try:
            number = _number(value).quantize(unit, context=exact)
        except (Inexact, InvalidOperation):
            raise OutOfRangeError(f"a decimal is not one of {column.precision} digits") from None
        return number if number else abs(number)

    return convert


def _number(value: str) -> Decimal:
    if not _NUMBER.fullmatch(value):
        text(value)
        raise OutOfRangeError("a decimal is not written as one")
    return Decimal(value)


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
        except OverflowError as error:
            raise OutOfRangeError(str(error)) from None

    return convert


def _instant(value: str) -> int:
    """ISO 8601 with a zone -> microseconds since 1970 (UTC)."""
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        if _FAR_INSTANT.fullmatch(value):
            raise NotRepresentableError(_FAR, value) from None
        text(value)
        raise OutOfRangeError("an instant is not an ISO 8601 time") from None
    if parsed.tzinfo is None:
        raise OutOfRangeError("an instant has no zone")
    _, point, fraction = value.partition(".")
    digits = len(fraction) - len(fraction.lstrip("0123456789"))
    if point and any(digit != "0" for digit in fraction[_FRACTION_DIGITS:digits]):
        raise OutOfRangeError("an instant is finer than a microsecond")
    span = parsed - _EPOCH
    micros = (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
    if micros not in TIMESTAMPS:
        raise NotRepresentableError(_FAR, value)
    return micros


def int64(value: int) -> int:
    """The value itself. Raises OutOfRangeError beyond 64 bits."""
    if -_INT64 <= value < _INT64:
        return value
    raise OutOfRangeError("an integer is too large")


def micros_of_millis(millis: int | None) -> int | None:
    """Milliseconds since 1970 as microseconds. Raises OutOfRangeError beyond 64 bits."""
    return None if millis is None else int64(millis * 1000)
