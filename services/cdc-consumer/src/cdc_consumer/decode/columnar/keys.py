"""The fast decode of one key schema."""

from collections.abc import Mapping, Sequence
from typing import Any

from bank_common.arrow import arrow_type
from bank_common.avro import record_columns
from cdc_consumer.decode.columnar.arrays import Arrays, Fast, check
from cdc_consumer.decode.columnar.lanes import Block, Lanes
from cdc_consumer.decode.columnar.readers import Reader, cells_of, fields_of, reader_of
from cdc_consumer.decode.wire import HEADER_BYTES


class FastKeys:
    """Reads keys of one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raises NotVectorisedError: only the reference reads this schema."""
        self._columns = record_columns(schema)
        check(self._columns)
        self.types = {column.name: arrow_type(column) for column in self._columns}
        self._reader: Reader = reader_of(schema, wanted=True)

    def read(self, keys: Sequence[bytes]) -> Fast:
        """Read framed keys of this schema."""
        block = Block(keys, HEADER_BYTES)
        lanes = Lanes(block, block.starts)
        found = fields_of(self._reader.read(lanes))
        arrays = Arrays(block, lanes.bad | (lanes.at != block.ends))
        columns = {column.name: arrays.column(column, cells_of(found.get(column.name))) for column in self._columns}
        # What a key calls "not sent" is its value.
        for _, flags in arrays.unavailable:
            arrays.bad |= flags
        return Fast(columns, arrays.bad)
