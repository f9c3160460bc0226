"""The columnar decoder of transaction metadata: BEGIN and END."""

# Arrow has no types.
# pyright: standard

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import compute

from bank_common.envelope.arrow import INSTANT
from bank_common.envelope.avro import Column, ColumnType, Wire
from bank_common.envelope.columnar.arrays import Arrays, ColumnarRows, pieces
from bank_common.envelope.columnar.lanes import Block, Lanes, Longs
from bank_common.envelope.columnar.readers import (
    AvroColumn,
    ListColumn,
    NotColumnarError,
    StructColumn,
    ValueColumn,
    fields_of,
    reader_of,
    values_of,
)
from bank_common.envelope.events import DecodeError
from bank_common.envelope.keys import KeyDecoder
from bank_common.envelope.schemas import items_of
from bank_common.envelope.wire import HEADER_BYTES
from bank_common.landing import columns as c

pc: Any = compute  # its functions are made at import, unseen by stubs

_FIELDS: Final = {"status", "id", "event_count", "data_collections", "ts_ms"}
_OF_COLLECTION: Final = {"data_collection": "string", "event_count": "long"}
_EVENT_COUNT: Final = Column("event_count", ColumnType.INT64)
_TIME: Final = Column("ts_ms", ColumnType.TIMESTAMP, Wire.MILLIS)
_STATUSES: Final = pa.array(["BEGIN", "END"])
_DIGITS: Final = 18
"""A number of so many digits fits 64 bits, whatever they are."""


class ColumnarTransactions:
    """Decodes BEGIN and END records of one value schema, column by column."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raises NotColumnarError: only the reference decoder reads this schema."""
        fields, of_collection = _types(schema), _types(items_of(schema, "data_collections"))
        # The text of another field would have to be UTF-8 too.
        if fields.keys() != _FIELDS or of_collection != _OF_COLLECTION:
            raise NotColumnarError("other fields than the connector's")
        if (fields["status"], fields["id"]) != ("string", "string"):
            raise NotColumnarError("a status or an id that may be null")
        self._reader = reader_of(schema, projection=True)

    def read(
        self,
        values: Sequence[bytes],
        keys: Sequence[bytes | None],  # noqa: ARG002 - the port's signature
        decoders: Mapping[int, KeyDecoder | DecodeError],  # noqa: ARG002
    ) -> ColumnarRows:
        """Decode framed records of this schema."""
        block = Block(values, HEADER_BYTES)
        lanes = Lanes(block, block.starts)
        fields = fields_of(self._reader.read(lanes))
        arrays = Arrays(block, lanes.bad | (lanes.at != block.ends))
        status = _status(arrays, fields["status"])
        tx_id, lsn = _id(arrays, fields["id"])
        columns = {
            "status": status,
            "tx_id": tx_id,
            "lsn": lsn,
            "event_count": arrays.column(_EVENT_COUNT, values_of(fields["event_count"])),
            "collections": _collections(arrays, fields["data_collections"]),
            c.SOURCE_TIME: arrays.column(_TIME, values_of(fields["ts_ms"])).view(INSTANT),
        }
        return ColumnarRows(columns, arrays.bad)


def _types(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {field["name"]: field["type"] for field in schema["fields"]}


def _status(arrays: Arrays, column: AvroColumn) -> pa.Array:
    code = pc.index_in(arrays.text(_text(column)), _STATUSES)
    arrays.bad |= code.is_null().to_numpy(zero_copy_only=False)
    return _STATUSES.take(code)


def _id(arrays: Arrays, column: AvroColumn) -> tuple[pa.Array, pa.Array]:
    """`txId:lsn` -> both numbers, of ASCII digits."""
    data = _text(column)
    assert data.sizes is not None  # noqa: S101 - it is text
    colon = pc.fill_null(pc.find_substring(arrays.text(data), ":"), -1).to_numpy()
    arrays.bad |= colon < 0
    starts = np.stack((data.values, data.values + colon + 1), axis=1)
    sizes = np.stack((colon, data.sizes - colon - 1), axis=1)
    starts[arrays.bad], sizes[arrays.bad] = arrays.block.starts[arrays.bad, None], 0
    texts = pieces(arrays.block, starts.ravel(), sizes.ravel()).cast(pa.string())
    plain = pc.and_(pc.ascii_is_decimal(texts), pa.array(sizes.ravel() <= _DIGITS))
    arrays.bad |= ~plain.to_numpy(zero_copy_only=False).reshape(-1, 2).all(axis=1)
    numbers = pc.if_else(plain, texts, "0").cast(pa.int64()).to_numpy().reshape(-1, 2)
    return pa.array(numbers[:, 0]), pa.array(numbers[:, 1])


def _collections(arrays: Arrays, column: AvroColumn) -> pa.Array:
    """What `json.dumps` makes of each list."""
    if not isinstance(column, ListColumn):
        return pa.nulls(len(arrays.bad), pa.string())
    owners, starts, sizes, counts = _in_order(arrays, column)
    names = pieces(arrays.block, starts, sizes).dictionary_encode()
    quoted = pa.array(map(_quoted, names.dictionary.to_pylist()), pa.string()).take(names.indices)
    arrays.bad[owners[quoted.is_null().to_numpy(zero_copy_only=False)]] = True
    items = pc.binary_join_element_wise(
        '{"data_collection": ', quoted, ', "event_count": ', pa.array(counts).cast(pa.string()), "}", ""
    )
    offsets = np.searchsorted(owners, np.arange(len(arrays.bad) + 1)).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), items)
    texts = pc.binary_join_element_wise("[", pc.binary_join(lists, ", "), "]", "")
    return texts if column.valid is None else pc.if_else(pa.array(column.valid), texts, None)


def _in_order(arrays: Arrays, column: ListColumn) -> tuple[Longs, Longs, Longs, Longs]:
    """The lane, the position and size of the name, and the count of each collection, in the order of the block."""
    nothing = np.zeros(0, np.int64)
    steps = [(nothing, nothing, nothing, nothing)]
    for lanes, item in column.steps:
        fields = fields_of(item)
        name, count = values_of(fields.get("data_collection")), values_of(fields.get("event_count"))
        if name is None or name.sizes is None or count is None:
            arrays.bad[lanes] = True
            continue
        if isinstance(item, StructColumn) and item.valid is not None:
            arrays.bad[lanes[~item.valid]] = True
        steps.append((lanes, name.values, name.sizes, count.values))
    owners, starts, sizes, counts = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    order = np.argsort(owners, kind="stable")
    order = order[~arrays.bad[owners[order]]]
    return owners[order], starts[order], sizes[order], counts[order]


def _quoted(name: bytes) -> str | None:
    try:
        return json.dumps(name.decode())
    except UnicodeDecodeError:
        return None


def _text(column: AvroColumn) -> ValueColumn:
    data = values_of(column)
    assert data is not None  # noqa: S101 - it is not nullable
    return data
