"""The columnar decoder of change events of one value schema."""

# Arrow has no types.
# pyright: standard

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
from pyarrow import compute

from bank_common.envelope.arrow import INSTANT, arrow_type
from bank_common.envelope.avro import Column
from bank_common.envelope.columnar.arrays import Arrays, ColumnarRows, check
from bank_common.envelope.columnar.keys import ColumnarKeys
from bank_common.envelope.columnar.lanes import Block, Lanes, Longs
from bank_common.envelope.columnar.readers import AvroColumn, ValueColumn, fields_of, reader_of, values_of
from bank_common.envelope.events import DecodeError
from bank_common.envelope.keys import KeyDecoder
from bank_common.envelope.unavailable import NOT_CARRIED_FIELD, UNAVAILABLE_FIELD, marks, names_in, names_of
from bank_common.envelope.wire import HEADER_BYTES, Framed, unframe
from bank_common.landing import columns as c

pc: Any = compute  # its functions are made at import, unseen by stubs

_OPERATIONS: Final = pa.array(["r", "c", "u", "d", "t"])
_CODES: Final = np.full(256, -1, np.int8)
_CODES[list(b"rcudt")] = range(5)
_DELETE: Final = 3
_MAX_MILLIS: Final = (2**63 - 1) // 1000


class ColumnarChanges:
    """Decodes change events of one value schema, column by column."""

    def __init__(self, schema: Mapping[str, Any], columns: Sequence[Column]) -> None:
        """Raises NotColumnarError: only the reference decoder reads this schema."""
        check(columns)
        self._columns = tuple(columns)
        self._marks = marks(schema)
        self._types = {column.name: arrow_type(column) for column in columns}
        self._reader = reader_of(
            schema,
            {
                "after": True,
                "op": True,
                "source": {"snapshot": True, "ts_us": True, "ts_ms": True, "txId": True, "lsn": True},
                "transaction": {"total_order": True},
                UNAVAILABLE_FIELD: True,
                NOT_CARRIED_FIELD: True,
            },
        )

    def read(
        self, values: Sequence[bytes], keys: Sequence[bytes | None], decoders: Mapping[int, KeyDecoder | DecodeError]
    ) -> ColumnarRows:
        """Decode framed records of this schema."""
        block = Block(values, HEADER_BYTES)
        lanes = Lanes(block, block.starts)
        fields = fields_of(self._reader.read(lanes))
        arrays = Arrays(block, lanes.bad | (lanes.at != block.ends), placeholders=not self._marks)
        operations = self._operations(fields, arrays)
        source = fields_of(fields["source"])
        row = fields_of(fields["after"])
        columns = {column.name: arrays.column(column, values_of(row.get(column.name))) for column in self._columns}
        self._put_keys(columns, arrays, np.flatnonzero(operations == _DELETE), keys, decoders)
        columns |= {
            c.OP: _OPERATIONS.take(pa.array(np.maximum(operations, 0))),
            c.SNAPSHOT: _snapshot(arrays, values_of(source.get("snapshot"))),
            c.LSN: _number(arrays, source.get("lsn")),
            c.TX_ID: _number(arrays, source.get("txId")),
            c.TX_ORDER: _number(arrays, fields_of(fields.get("transaction")).get("total_order")),
            c.SOURCE_TIME: _source_time(arrays, values_of(source.get("ts_us")), values_of(source.get("ts_ms"))),
            c.UNAVAILABLE: self._marked(fields, arrays, operations) if self._marks else _unavailable(arrays),
            # The reference decodes each record that has any.
            c.NOT_REPRESENTABLE: pa.nulls(len(block), pa.string()),
        }
        return ColumnarRows(columns, arrays.bad)

    def _operations(self, fields: dict[str, AvroColumn], arrays: Arrays) -> Longs:
        """The operation of each lane as a number. A lane is bad if it is unknown or does not fit the row image."""
        op = values_of(fields["op"])
        assert op is not None  # noqa: S101 - it is not nullable
        assert op.sizes is not None  # noqa: S101 - it is text
        codes = _CODES[arrays.block.octets.take(op.values, mode="clip")].astype(np.int64)
        after = fields["after"]
        has_row = False if after is None else True if after.valid is None else after.valid
        arrays.bad |= (op.sizes != 1) | (codes < 0) | (has_row != (codes < _DELETE))
        return codes

    def _marked(self, fields: dict[str, AvroColumn], arrays: Arrays, operations: Longs) -> pa.Array:
        """What the envelopes say that they came without; most say nothing."""
        left_out = values_of(fields[NOT_CARRIED_FIELD])
        if left_out is not None:
            arrays.bad |= True if left_out.valid is None else left_out.valid
        data = values_of(fields[UNAVAILABLE_FIELD])
        if data is None:
            return pa.nulls(len(arrays.bad), pa.string())
        texts = arrays.text(data).dictionary_encode()
        listed = [names_of(names_in(said, self._types) or ()) for said in texts.dictionary.to_pylist()]
        lists = pa.array(listed, pa.string()).take(texts.indices)
        said = texts.is_valid().to_numpy(zero_copy_only=False)
        arrays.bad |= said & (lists.is_null().to_numpy(zero_copy_only=False) | (operations >= _DELETE))
        return lists

    def _put_keys(
        self,
        columns: dict[str, pa.Array],
        arrays: Arrays,
        deletes: Longs,
        keys: Sequence[bytes | None],
        decoders: Mapping[int, KeyDecoder | DecodeError],
    ) -> None:
        """Fill the rows of deletes from their keys; `after` left them empty."""
        by_head: dict[bytes, list[int]] = {}
        for lane in deletes.tolist():
            by_head.setdefault((keys[lane] or b"")[:HEADER_BYTES], []).append(lane)
        for head, lanes in by_head.items():
            chosen = np.array(lanes, np.int64)
            decoder = decoders.get(_schema_id(unframe(head)))
            rows = None
            if isinstance(decoder, KeyDecoder) and decoder.columnar is not None and self._takes(decoder.columnar):
                rows = decoder.columnar.read([cast("bytes", keys[lane]) for lane in chosen])
            if rows is None:
                arrays.bad[chosen] = True
                continue
            arrays.bad[chosen[rows.refused]] = True
            mask = np.zeros(len(arrays.bad), np.bool_)
            mask[chosen] = True
            for name, values in rows.columns.items():
                columns[name] = pc.replace_with_mask(columns[name], pa.array(mask), values)

    def _takes(self, keys: ColumnarKeys) -> bool:
        return all(self._types.get(name) == key_type for name, key_type in keys.types.items())


def _schema_id(framed: Framed | DecodeError) -> int:
    return framed.schema_id if isinstance(framed, Framed) else -1


def _number(arrays: Arrays, column: AvroColumn) -> pa.Array:
    data = values_of(column)
    if data is None:
        return pa.nulls(len(arrays.bad), pa.int64())
    return arrays.plain(_numbers(arrays, data), pa.int64())


def _numbers(arrays: Arrays, data: ValueColumn) -> ValueColumn:
    """The values, if they are numbers: the schema of another connector may have another type under this name."""
    if data.sizes is None and data.values.dtype == np.int64:
        return data
    arrays.bad[:] = True
    return ValueColumn(np.zeros(len(arrays.bad), np.int64))


def _snapshot(arrays: Arrays, data: ValueColumn | None) -> pa.Array:
    if data is None:
        return pa.repeat("false", len(arrays.bad))
    if data.sizes is None:
        arrays.bad[:] = True
        return pa.repeat("false", len(arrays.bad))
    texts = arrays.text(data)
    return pc.if_else(pc.fill_null(pc.equal(texts, ""), True), "false", texts)


def _source_time(arrays: Arrays, micros: ValueColumn | None, millis: ValueColumn | None) -> pa.Array:
    instants = None if micros is None else arrays.plain(_numbers(arrays, micros), INSTANT)
    if instants is not None and not instants.null_count:
        return instants
    if millis is None:
        return pa.nulls(len(arrays.bad), INSTANT) if instants is None else instants
    millis = _numbers(arrays, millis)
    late = (millis.values > _MAX_MILLIS) | (millis.values < -_MAX_MILLIS)
    if late.any():
        needed = np.ones(len(late), np.bool_) if micros is None or micros.valid is None else ~micros.valid
        arrays.bad |= late & needed & (millis.valid if millis.valid is not None else True)
    coarse = arrays.plain(millis._replace(values=millis.values * 1000), INSTANT)
    return coarse if instants is None else pc.coalesce(instants, coarse)


def _unavailable(arrays: Arrays) -> pa.Array:
    if not arrays.unavailable:
        return pa.nulls(len(arrays.bad), pa.string())
    missing: dict[int, list[str]] = {}
    for name, flags in arrays.unavailable:
        for lane in np.flatnonzero(flags).tolist():
            missing.setdefault(lane, []).append(name)
    return pa.array([names_of(missing.get(lane, ())) for lane in range(len(arrays.bad))], pa.string())
