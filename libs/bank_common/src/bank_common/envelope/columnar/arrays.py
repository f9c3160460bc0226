"""Values of a field -> Arrow arrays of the exact type of its column. A value that does not fit makes its lane bad.

Nothing raises. Rows of a bad lane hold garbage; the reference decoder decides these records.
"""

# Arrow has no types.
# pyright: standard

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from bank_common.envelope.arrow import INSTANT, arrow_type
from bank_common.envelope.avro import Column, ColumnType, Wire
from bank_common.envelope.calendar import DAY_MICROS
from bank_common.envelope.columnar.lanes import Block, Flags, Longs
from bank_common.envelope.columnar.readers import NotColumnarError, ValueColumn
from bank_common.envelope.values import DAYS, TIMESTAMPS
from bank_common.landing.columns import UNAVAILABLE_PLACEHOLDER

COLUMNAR_TYPES: Final = frozenset(ColumnType) - {
    ColumnType.VARIABLE_DECIMAL,
    ColumnType.ARRAY,
    ColumnType.MAP,
    ColumnType.STRUCT,
}

pc: Any = compute  # its functions are made at import, unseen by stubs

_MAX_MILLIS: Final = (2**63 - 1) // 1000
_PLACEHOLDER_SIZE: Final = len(UNAVAILABLE_PLACEHOLDER)
_WORD: Final = 8
# What the connector writes; anything else that might be a decimal is for the reference to judge.
_PLAIN_DECIMAL: Final = r"^-?\d{1,38}(\.\d{1,38})?$"
# What the connector writes; anything else that might be an instant is for the reference to judge.
_PLAIN_INSTANT: Final = (
    r"^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$"
)


class ColumnarRows(NamedTuple):
    """One row per record, by column. Rows of `refused` records hold garbage: the reference decodes these records."""

    columns: dict[str, pa.Array]
    refused: Flags


def check(columns: Sequence[Column]) -> None:
    """Check column types. Raises NotColumnarError: only the reference decoder knows one of them."""
    for column in columns:
        if column.type not in COLUMNAR_TYPES:
            raise NotColumnarError(column.type.value)


class Arrays:
    """Builds the arrays of one block; `bad` marks the lanes that don't fit, `unavailable` the unavailable values.

    With `placeholders` a value may be the placeholder of one that was not sent.
    """

    def __init__(self, block: Block, bad: Flags, *, placeholders: bool = False) -> None:
        self.block = block
        self.bad = bad
        self._placeholders = placeholders
        self.unavailable: list[tuple[str, Flags]] = []

    def column(self, column: Column, data: ValueColumn | None) -> pa.Array:
        """Build the array of one column; nulls where no lane has a value."""
        data_type = arrow_type(column)
        if data is None:
            return pa.nulls(len(self.bad), data_type)
        match column.type:
            case ColumnType.BOOLEAN | ColumnType.INT64 | ColumnType.FLOAT32 | ColumnType.FLOAT64:
                return self.plain(data, data_type)
            case ColumnType.INT32:
                return self._narrow(data, data_type)
            case ColumnType.DATE:
                self._refuse(_outside(data.values, DAYS), data.valid)
                return self._narrow(data, data_type)
            case ColumnType.TIME:
                micros = self._micros(data, column.wire)
                self._refuse((micros < 0) | (micros >= DAY_MICROS), data.valid)
                return self.plain(data._replace(values=micros), data_type)
            case ColumnType.TIMESTAMP:
                micros = self._micros(data, column.wire)
                self._refuse(_outside(micros, TIMESTAMPS), data.valid)
                return self.plain(data._replace(values=micros), data_type)
            case ColumnType.DECIMAL if column.wire is Wire.TEXT:
                return self._decimal_text(self.text(data), data_type)
            case ColumnType.DECIMAL:
                return self._decimal(column, data, data_type)
            case ColumnType.STRING:
                return self._sent(column, self.text(data), data)
            case ColumnType.BYTES:
                return self._sent(column, self._binary(data), data)
            case ColumnType.INSTANT:
                return self._instant(self._sent(column, self.text(data), data))
            case _:
                raise AssertionError(f"{column.type} is not vectorised")

    def plain(self, data: ValueColumn, data_type: pa.DataType) -> pa.Array:
        """Build an array of numbers as they are."""
        mask = None if data.valid is None else ~data.valid
        array = pa.array(data.values, mask=mask)
        return array if array.type == data_type else array.view(data_type)

    def text(self, data: ValueColumn) -> pa.Array:
        """Build an array of strings; a lane whose bytes are not UTF-8 becomes bad."""
        binary = self._binary(data)
        try:
            return binary.cast(pa.string())
        except pa.ArrowInvalid:
            self.bad |= np.fromiter((not _is_text(value) for value in binary.to_pylist()), np.bool_, len(binary))
            return self._binary(data).cast(pa.string())

    def _refuse(self, odd: Flags, valid: Flags | None) -> None:
        if odd.any():
            self.bad |= odd if valid is None else odd & valid

    def _narrow(self, data: ValueColumn, data_type: pa.DataType) -> pa.Array:
        narrow = data.values.astype(np.int32)
        self._refuse(narrow != data.values, data.valid)
        return self.plain(data._replace(values=narrow), data_type)

    def _micros(self, data: ValueColumn, wire: Wire) -> Longs:
        if wire is Wire.MILLIS:
            self._refuse((data.values > _MAX_MILLIS) | (data.values < -_MAX_MILLIS), data.valid)
            return data.values * 1000
        if wire is Wire.NANOS:
            micros, rest = np.divmod(data.values, 1000)
            self._refuse(rest != 0, data.valid)
            return micros
        return data.values

    def _binary(self, data: ValueColumn) -> pa.Array:
        assert data.sizes is not None  # noqa: S101 - what text and bytes have
        starts, sizes = data.values, data.sizes
        absent = self.bad if data.valid is None else self.bad | ~data.valid
        if not absent.any():
            return pieces(self.block, starts, sizes)
        starts = np.where(absent, self.block.starts, starts)
        return pieces(self.block, starts, np.where(absent, 0, sizes), absent)

    def _sent(self, column: Column, array: pa.Array, data: ValueColumn) -> pa.Array:
        """Replace unavailable values by null, and note them."""
        if not self._placeholders or data.sizes is None or not (data.sizes == _PLACEHOLDER_SIZE).any():
            return array
        placeholder = pa.scalar(UNAVAILABLE_PLACEHOLDER.encode()).cast(array.type)
        missing = pc.fill_null(pc.equal(array, placeholder), False)
        flags = missing.to_numpy(zero_copy_only=False)
        if not flags.any():
            return array
        self.unavailable.append((column.name, flags))
        return pc.if_else(missing, pa.scalar(None, array.type), array)

    def _instant(self, texts: pa.Array) -> pa.Array:
        try:
            instants = texts.cast(INSTANT)
        except pa.ArrowInvalid:
            plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN_INSTANT), True)
            self.bad |= ~plain.to_numpy(zero_copy_only=False)
            instants = pc.if_else(plain, texts, pa.scalar(None, pa.string())).cast(INSTANT)
        micros = instants.view(pa.int64())
        far = pc.or_(pc.less(micros, TIMESTAMPS.start), pc.greater_equal(micros, TIMESTAMPS.stop))
        self.bad |= pc.fill_null(far, False).to_numpy(zero_copy_only=False)
        return instants

    def _decimal_text(self, texts: pa.Array, data_type: pa.DataType) -> pa.Array:
        plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN_DECIMAL), True)
        flags = plain.to_numpy(zero_copy_only=False)
        if not flags.all():
            self.bad |= ~flags
            texts = pc.if_else(plain, texts, pa.scalar(None, pa.string()))
        try:
            return texts.cast(data_type)
        except pa.ArrowInvalid:
            # One that is too long or too fine: rare enough for the reference to look for it.
            self.bad |= texts.is_valid().to_numpy(zero_copy_only=False)
            return pa.nulls(len(texts), data_type)

    def _decimal(self, column: Column, data: ValueColumn, data_type: pa.DataType) -> pa.Array:
        """Big-endian two's complement of any size -> the 128 bits of Arrow's decimals."""
        assert data.sizes is not None  # noqa: S101 - what bytes have
        sizes = np.where(self.bad, 0, data.sizes)
        self._refuse(sizes > 2 * _WORD, data.valid)
        low = self._word(data.values + sizes - _WORD)
        # Above a short value stand bytes that are not its own: out at the top, and the sign in from there.
        shift = np.clip(_WORD - sizes, 0, _WORD - 1).astype(np.uint64) << np.uint64(3)
        signed = (low << shift).view(np.int64) >> shift.view(np.int64)
        signed = np.where(sizes == 0, 0, signed)
        words = np.empty((len(sizes), 2), np.int64)
        words[:, 0] = signed
        words[:, 1] = signed >> 63
        if (sizes > _WORD).any():
            self._wide(data, sizes, low, words)
        self._bound(column, words, data.valid)
        mask = None if data.valid is None else pa.array(data.valid).buffers()[1]
        return pa.Array.from_buffers(data_type, len(sizes), [mask, pa.py_buffer(words)])

    def _word(self, at: Longs) -> NDArray[np.uint64]:
        """The eight bytes from each position on, big-endian."""
        return self.block.words[np.clip(at, 0, self.block.limit)].byteswap()

    def _wide(self, data: ValueColumn, sizes: Longs, low: NDArray[Any], words: Longs) -> None:
        wide = sizes > _WORD
        high = self._word(data.values).view(np.int64)
        shift = np.clip(2 * _WORD - sizes, 0, _WORD - 1) << 3
        words[:, 0] = np.where(wide, low.view(np.int64), words[:, 0])
        words[:, 1] = np.where(wide, high >> shift, words[:, 1])

    def _bound(self, column: Column, words: Longs, valid: Flags | None) -> None:
        limit = 10**column.precision
        if limit < 2**63:
            fits = (words[:, 1] == words[:, 0] >> 63) & (words[:, 0] > -limit) & (words[:, 0] < limit)
        else:
            # The last few values before the limit share their upper half with it: the reference tells them apart.
            high = limit >> 64
            fits = (words[:, 1] < high) & (words[:, 1] >= -high) if high else words[:, 1] == words[:, 0] >> 63
        self._refuse(~fits, valid)


def pieces(block: Block, starts: Longs, sizes: Longs, absent: Flags | None = None) -> pa.Array:
    """Build a binary array of pieces of a block, without a copy; they are in the order of the block."""
    if not len(starts):
        return pa.array([], pa.binary())
    offsets = np.empty((len(starts), 2), np.int32)
    offsets[:, 0] = starts
    offsets[:, 1] = starts + sizes
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(block.data)]
    spans = pa.Array.from_buffers(pa.binary(), 2 * len(starts) - 1, buffers)
    return spans.take(pa.array(np.arange(0, 2 * len(starts), 2), mask=absent))


def _outside(values: Longs, bounds: range) -> Flags:
    return (values < bounds.start) | (values >= bounds.stop)


def _is_text(data: bytes | None) -> bool:
    try:
        return data is None or bool(data.decode() or True)
    except UnicodeDecodeError:
        return False
