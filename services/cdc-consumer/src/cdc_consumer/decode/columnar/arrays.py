"""Cells -> Arrow arrays of a column's exact type. A value that does not fit makes its lane bad; nothing raises.

What a bad lane's row holds is of no account: the reference decides about that record.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from bank_common.arrow import INSTANT, arrow_type
from bank_common.avro import Column, ColumnType, Wire
from bank_common.columns import UNAVAILABLE_PLACEHOLDER
from cdc_consumer.decode.columnar.lanes import Block, Flags, Longs
from cdc_consumer.decode.columnar.readers import Cells, NotVectorisedError
from cdc_consumer.decode.values import DAYS, TIMESTAMPS

VECTORISED: Final = frozenset(ColumnType) - {
    ColumnType.VARIABLE_DECIMAL,
    ColumnType.ARRAY,
    ColumnType.MAP,
    ColumnType.STRUCT,
}

pc: Any = compute  # its functions are made at import, unseen by stubs

_DAY_MICROS: Final = 86_400_000_000
_MAX_MILLIS: Final = (2**63 - 1) // 1000
_PLACEHOLDER_SIZE: Final = len(UNAVAILABLE_PLACEHOLDER)
_WORD: Final = 8
# 0001-01-01T00:00:00Z in microseconds: Arrow reads earlier years, the reference does not.
_YEAR_ONE: Final = -62_135_596_800_000_000
# What the connector writes; anything else that might be an instant is for the reference to judge.
_PLAIN_INSTANT: Final = (
    r"^[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$"
)


class Fast(NamedTuple):
    """A row per record, by column; the rows of `refused` records hold nothing: the reference reads these records."""

    columns: dict[str, pa.Array]
    refused: Flags


def check(columns: Sequence[Column]) -> None:
    """Raises NotVectorisedError: only the reference makes values of one of these columns."""
    for column in columns:
        if column.type not in VECTORISED:
            raise NotVectorisedError(column.type.value)


class Arrays:
    """Builds the arrays of one block; `bad` collects the lanes that don't fit, `unavailable` the values not sent."""

    def __init__(self, block: Block, bad: Flags) -> None:
        self.block = block
        self.bad = bad
        self.unavailable: list[tuple[str, Flags]] = []

    def column(self, column: Column, cells: Cells | None) -> pa.Array:
        """One column of a row."""
        wanted = arrow_type(column)
        if cells is None:
            return pa.nulls(len(self.bad), wanted)
        match column.type:
            case ColumnType.BOOLEAN | ColumnType.INT64 | ColumnType.FLOAT32 | ColumnType.FLOAT64:
                return self.plain(cells, wanted)
            case ColumnType.INT32:
                return self._narrow(cells, wanted)
            case ColumnType.DATE:
                self._refuse(_outside(cells.values, DAYS), cells.there)
                return self._narrow(cells, wanted)
            case ColumnType.TIME:
                micros = self._micros(cells, column.wire)
                self._refuse((micros < 0) | (micros >= _DAY_MICROS), cells.there)
                return self.plain(cells._replace(values=micros), wanted)
            case ColumnType.TIMESTAMP:
                micros = self._micros(cells, column.wire)
                self._refuse(_outside(micros, TIMESTAMPS), cells.there)
                return self.plain(cells._replace(values=micros), wanted)
            case ColumnType.DECIMAL:
                return self._decimal(column, cells, wanted)
            case ColumnType.STRING:
                return self._sent(column, self.text(cells), cells)
            case ColumnType.BYTES:
                return self._sent(column, self._binary(cells), cells)
            case ColumnType.INSTANT:
                return self._instant(self._sent(column, self.text(cells), cells))
            case _:
                raise AssertionError(f"{column.type} is not vectorised")

    def plain(self, cells: Cells, wanted: pa.DataType) -> pa.Array:
        """Numbers as they are."""
        mask = None if cells.there is None else ~cells.there
        found = pa.array(cells.values, mask=mask)
        return found if found.type == wanted else found.view(wanted)

    def text(self, cells: Cells) -> pa.Array:
        """Text; a lane whose bytes are not UTF-8 becomes bad."""
        found = self._binary(cells)
        try:
            return found.cast(pa.string())
        except pa.ArrowInvalid:
            self.bad |= np.fromiter((not _is_text(each) for each in found.to_pylist()), np.bool_, len(found))
            return self._binary(cells).cast(pa.string())

    def _refuse(self, odd: Flags, there: Flags | None) -> None:
        if odd.any():
            self.bad |= odd if there is None else odd & there

    def _narrow(self, cells: Cells, wanted: pa.DataType) -> pa.Array:
        narrow = cells.values.astype(np.int32)
        self._refuse(narrow != cells.values, cells.there)
        return self.plain(cells._replace(values=narrow), wanted)

    def _micros(self, cells: Cells, wire: Wire) -> Longs:
        if wire is Wire.MILLIS:
            self._refuse((cells.values > _MAX_MILLIS) | (cells.values < -_MAX_MILLIS), cells.there)
            return cells.values * 1000
        if wire is Wire.NANOS:
            micros, rest = np.divmod(cells.values, 1000)
            self._refuse(rest != 0, cells.there)
            return micros
        return cells.values

    def _binary(self, cells: Cells) -> pa.Array:
        assert cells.sizes is not None  # noqa: S101 - what text and bytes have
        starts, sizes = cells.values, cells.sizes
        absent = self.bad if cells.there is None else self.bad | ~cells.there
        if not absent.any():
            return pieces(self.block, starts, sizes)
        starts = np.where(absent, self.block.starts, starts)
        return pieces(self.block, starts, np.where(absent, 0, sizes), absent)

    def _sent(self, column: Column, found: pa.Array, cells: Cells) -> pa.Array:
        """Values that the source did not send become null and are noted."""
        if cells.sizes is None or not (cells.sizes == _PLACEHOLDER_SIZE).any():
            return found
        placeholder = pa.scalar(UNAVAILABLE_PLACEHOLDER.encode()).cast(found.type)
        missing = pc.fill_null(pc.equal(found, placeholder), False)
        flags = missing.to_numpy(zero_copy_only=False)
        if not flags.any():
            return found
        self.unavailable.append((column.name, flags))
        return pc.if_else(missing, pa.scalar(None, found.type), found)

    def _instant(self, found: pa.Array) -> pa.Array:
        try:
            instants = found.cast(INSTANT)
        except pa.ArrowInvalid:
            plain = pc.fill_null(pc.match_substring_regex(found, _PLAIN_INSTANT), True)
            self.bad |= ~plain.to_numpy(zero_copy_only=False)
            instants = pc.if_else(plain, found, pa.scalar(None, pa.string())).cast(INSTANT)
        micros = instants.view(pa.int64())
        early = pc.fill_null(pc.less(micros, _YEAR_ONE), False)
        self.bad |= early.to_numpy(zero_copy_only=False)
        return instants

    def _decimal(self, column: Column, cells: Cells, wanted: pa.DataType) -> pa.Array:
        """Big-endian two's complement of any size -> the 128 bits that Arrow wants."""
        assert cells.sizes is not None  # noqa: S101 - what bytes have
        sizes = np.where(self.bad, 0, cells.sizes)
        self._refuse(sizes > 2 * _WORD, cells.there)
        low = self._word(cells.values + sizes - _WORD)
        # Above a short value stand bytes that are not its own: out at the top, and the sign in from there.
        shift = np.clip(_WORD - sizes, 0, _WORD - 1).astype(np.uint64) << np.uint64(3)
        signed = (low << shift).view(np.int64) >> shift.view(np.int64)
        signed = np.where(sizes == 0, 0, signed)
        words = np.empty((len(sizes), 2), np.int64)
        words[:, 0] = signed
        words[:, 1] = signed >> 63
        if (sizes > _WORD).any():
            self._wide(cells, sizes, low, words)
        self._bound(column, words, cells.there)
        mask = None if cells.there is None else pa.array(cells.there).buffers()[1]
        return pa.Array.from_buffers(wanted, len(sizes), [mask, pa.py_buffer(words)])

    def _word(self, at: Longs) -> NDArray[np.uint64]:
        """The eight bytes from each position on, big-endian."""
        return self.block.words[np.clip(at, 0, self.block.limit)].byteswap()

    def _wide(self, cells: Cells, sizes: Longs, low: NDArray[Any], words: Longs) -> None:
        wide = sizes > _WORD
        high = self._word(cells.values).view(np.int64)
        shift = np.clip(2 * _WORD - sizes, 0, _WORD - 1) << 3
        words[:, 0] = np.where(wide, low.view(np.int64), words[:, 0])
        words[:, 1] = np.where(wide, high >> shift, words[:, 1])

    def _bound(self, column: Column, words: Longs, there: Flags | None) -> None:
        limit = 10**column.precision
        if limit < 2**63:
            fits = (words[:, 1] == words[:, 0] >> 63) & (words[:, 0] > -limit) & (words[:, 0] < limit)
        else:
            # The last few values before the limit share their upper half with it: the reference tells them apart.
            high = limit >> 64
            fits = (words[:, 1] < high) & (words[:, 1] >= -high) if high else words[:, 1] == words[:, 0] >> 63
        self._refuse(~fits, there)


def pieces(block: Block, starts: Longs, sizes: Longs, absent: Flags | None = None) -> pa.Array:
    """Pieces of a block, in the order in which they lie there: piece, gap, piece, gap … is a binary array as it is."""
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
