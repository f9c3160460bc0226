"""Values with parts (arrays, maps, structs) -> one JSON text each, exact: what JSON has no form for becomes text.

Decimals, dates and times are text as Postgres writes them, bytes are base64, and a float that is no number is
"NaN", "Infinity" or "-Infinity"; so is a part that has no form of its type. The keys of a struct come in the schema's
order.
"""

import base64
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from bank_common.envelope.avro import Column, ColumnType
from bank_common.envelope.value_errors import NotRepresentableError

Convert = Callable[[Any], Any]

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - dates and times without a zone


def json_converter(column: Column, converter: Callable[[Column], Convert]) -> Convert:
    """The conversion of a column with parts; `converter` gives that of a part.

    What it raises is what the parts' conversions raise.
    """
    render = _part(column, converter)
    return lambda value: json.dumps(render(value), ensure_ascii=False, separators=(",", ":"))


def _part(column: Column, converter: Callable[[Column], Convert]) -> Convert:
    match column.type:
        case ColumnType.ARRAY:
            item = _optional(_part(column.items[0], converter))
            return lambda value: [item(element) for element in value]
        case ColumnType.MAP:
            # Avro's maps have text as keys; it is checked like any other text.
            key, item = (
                converter(Column("key", ColumnType.STRING)),
                _optional(_part(column.items[0], converter)),
            )
            return lambda value: {key(name): item(element) for name, element in value.items()}
        case ColumnType.STRUCT:
            fields = [(field.name, _optional(_part(field, converter))) for field in column.items]
            return lambda value: _struct(fields, value)
        case _:
            return _scalar(column, converter(column))


def _scalar(column: Column, convert: Convert) -> Convert:
    def render(value: Any) -> Any:
        try:
            return _plain(column.type, convert(value))
        except NotRepresentableError as error:
            return error.text

    return render


def _struct(fields: list[tuple[str, Convert]], value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: render(value[name]) for name, render in fields}


def _optional(render: Convert) -> Convert:
    return lambda value: None if value is None else render(value)


def _plain(column_type: ColumnType, value: Any) -> Any:
    match column_type:
        case ColumnType.FLOAT32 | ColumnType.FLOAT64:
            return value if math.isfinite(value) else _not_finite(value)
        case ColumnType.BYTES:
            return base64.b64encode(value).decode()
        case ColumnType.DECIMAL:
            assert isinstance(value, Decimal)  # noqa: S101 - what the conversion of this kind gives
            return format(value, "f")
        case ColumnType.DATE:
            return _moment(timedelta(days=value)).date().isoformat()
        case ColumnType.TIME:
            return _moment(timedelta(microseconds=value)).time().isoformat()
        case ColumnType.TIMESTAMP:
            return _moment(timedelta(microseconds=value)).isoformat()
        case ColumnType.INSTANT:
            return f"{_moment(timedelta(microseconds=value)).isoformat()}Z"
        case _:
            return value


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _moment(span: timedelta) -> datetime:
    return _EPOCH + span
