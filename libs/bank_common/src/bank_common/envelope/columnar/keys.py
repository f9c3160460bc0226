"""The columnar decoder of keys of one schema."""

# Arrow has no types.
# pyright: standard

from collections.abc import Mapping, Sequence
from typing import Any

from bank_common.envelope.arrow import arrow_type
from bank_common.envelope.avro import record_columns
from bank_common.envelope.columnar.arrays import Arrays, ColumnarRows, check
from bank_common.envelope.columnar.lanes import Block, Lanes
from bank_common.envelope.columnar.readers import Reader, fields_of, reader_of, values_of
from bank_common.envelope.wire import HEADER_BYTES


class ColumnarKeys:
    """Decodes keys of one schema, column by column."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raises NotColumnarError: only the reference decoder reads this schema."""
        self._columns = record_columns(schema)
        check(self._columns)
        self.types = {column.name: arrow_type(column) for column in self._columns}
        self._reader: Reader = reader_of(schema, projection=True)

    def read(self, keys: Sequence[bytes]) -> ColumnarRows:
        """Decode framed keys of this schema."""
        block = Block(keys, HEADER_BYTES)
        lanes = Lanes(block, block.starts)
        fields = fields_of(self._reader.read(lanes))
        arrays = Arrays(block, lanes.bad | (lanes.at != block.ends))
        columns = {column.name: arrays.column(column, values_of(fields.get(column.name))) for column in self._columns}
        return ColumnarRows(columns, arrays.bad)
