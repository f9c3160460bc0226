"""An Avro schema -> readers that read the fields of a projection from lanes, and skip the others."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from bank_common.envelope.columnar.lanes import Flags, Lanes, Longs

Projection = Mapping[str, "Projection"] | bool
"""The fields to read: True for a value, a mapping for some fields of a record, False for none."""
_DEPTH: Final = 8
_MANY: Final = 16
"""The longest array that is read here: the items of all arrays are read position by position."""


class NotColumnarError(ValueError):
    """The schema has a type that only the reference decoder reads."""


class ValueColumn(NamedTuple):
    """The values of one field; of strings and bytes their positions and `sizes`. `valid` is a mask, None for all."""

    values: NDArray[Any]
    sizes: Longs | None = None
    valid: Flags | None = None


class StructColumn(NamedTuple):
    """The columns of the fields of a record."""

    fields: "dict[str, AvroColumn]"
    valid: Flags | None = None


class ListColumn(NamedTuple):
    """The items of arrays: of the first items, the second ones, … each time the lanes that have one, and the items."""

    steps: "list[tuple[Longs, AvroColumn]]"
    valid: Flags | None = None


AvroColumn = ValueColumn | StructColumn | ListColumn | None
"""The values of one field in all lanes; None when no lane has one."""


class Reader(Protocol):
    """Reads or skips the values of one Avro type."""

    def read(self, lanes: Lanes) -> AvroColumn:
        """Read the value of each lane."""
        ...

    def skip(self, lanes: Lanes) -> None:
        """Skip the value of each lane."""
        ...


class _Long:
    def read(self, lanes: Lanes) -> AvroColumn:
        return ValueColumn(lanes.long())

    def skip(self, lanes: Lanes) -> None:
        lanes.skip_long()


class _Bytes:
    def read(self, lanes: Lanes) -> AvroColumn:
        sizes = lanes.length()
        start = lanes.at
        lanes.advance(sizes)
        return ValueColumn(start, np.full(len(lanes), sizes) if isinstance(sizes, int) else sizes)

    def skip(self, lanes: Lanes) -> None:
        lanes.advance(lanes.length())


class _Boolean:
    def read(self, lanes: Lanes) -> AvroColumn:
        octets = lanes.octet()
        lanes.bad |= octets > 1
        lanes.advance(1)
        return ValueColumn(octets == 1)

    def skip(self, lanes: Lanes) -> None:
        lanes.advance(1)


class _Float:
    def read(self, lanes: Lanes) -> AvroColumn:
        floats = (lanes.word() & np.uint64(0xFFFFFFFF)).astype(np.uint32).view(np.float32)
        lanes.advance(4)
        return ValueColumn(floats)

    def skip(self, lanes: Lanes) -> None:
        lanes.advance(4)


class _Double:
    def read(self, lanes: Lanes) -> AvroColumn:
        doubles = lanes.word().view(np.float64)
        lanes.advance(8)
        return ValueColumn(doubles)

    def skip(self, lanes: Lanes) -> None:
        lanes.advance(8)


class _Nullable:
    def __init__(self, inner: Reader, branch: int) -> None:
        self._inner = inner
        self._branch = branch

    def read(self, lanes: Lanes) -> AvroColumn:
        valid = self._validity(lanes)
        if isinstance(valid, bool):
            return self._inner.read(lanes) if valid else None
        chosen = np.flatnonzero(valid)
        part = lanes.part(chosen)
        column = self._inner.read(part)
        lanes.join(chosen, part)
        return _spread(column, chosen, len(lanes))

    def skip(self, lanes: Lanes) -> None:
        valid = self._validity(lanes)
        if isinstance(valid, bool):
            if valid:
                self._inner.skip(lanes)
            return
        chosen = np.flatnonzero(valid)
        part = lanes.part(chosen)
        self._inner.skip(part)
        lanes.join(chosen, part)

    def _validity(self, lanes: Lanes) -> Flags | bool:
        """Which lanes have a value; True when all have one, False when none."""
        branch = lanes.length()
        if isinstance(branch, int):
            lanes.bad |= branch > 1
            return branch == self._branch
        odd = branch > 1
        if odd.any():
            lanes.bad |= odd
        valid = branch == self._branch
        return True if valid.all() else valid if valid.any() else False


class _Record:
    def __init__(self, fields: list[tuple[str, Reader, bool]]) -> None:
        self._fields = fields

    def read(self, lanes: Lanes) -> AvroColumn:
        columns: dict[str, AvroColumn] = {}
        for name, reader, kept in self._fields:
            if kept:
                columns[name] = reader.read(lanes)
            else:
                reader.skip(lanes)
        return StructColumn(columns)

    def skip(self, lanes: Lanes) -> None:
        for _, reader, _ in self._fields:
            reader.skip(lanes)


class _Array:
    """One block of items with their number before it, as the connector writes; another form makes its lane bad."""

    def __init__(self, items: Reader) -> None:
        self._items = items

    def read(self, lanes: Lanes) -> AvroColumn:
        count = np.zeros(len(lanes), np.int64) + lanes.length()
        many = count > _MANY
        lanes.bad |= many
        count[many] = 0
        steps: list[tuple[Longs, AvroColumn]] = []
        for step in range(int(count.max(initial=0))):
            chosen = np.flatnonzero(count > step)
            part = lanes.part(chosen)
            steps.append((chosen, self._items.read(part)))
            lanes.join(chosen, part)
        self._close(lanes, np.flatnonzero(count))
        return ListColumn(steps)

    def skip(self, lanes: Lanes) -> None:
        self.read(lanes)

    def _close(self, lanes: Lanes, chosen: Longs) -> None:
        """After the items stands the number of the next block's: none."""
        part = lanes.part(chosen)
        part.bad |= part.octet() != 0
        part.advance(1)
        lanes.join(chosen, part)


_PRIMITIVE: Final[Mapping[str, Reader]] = {
    "int": _Long(),
    "long": _Long(),
    "string": _Bytes(),
    "bytes": _Bytes(),
    "boolean": _Boolean(),
    "float": _Float(),
    "double": _Double(),
}


def _spread(column: AvroColumn, chosen: Longs, count: int) -> AvroColumn:
    """Spread the values of some lanes over all lanes, with a validity mask."""
    if column is None:
        return None
    valid = np.zeros(count, np.bool_)
    valid[chosen] = True if column.valid is None else column.valid
    if isinstance(column, ListColumn):
        return ListColumn([(chosen[lanes], items) for lanes, items in column.steps], valid)
    if isinstance(column, StructColumn):
        return StructColumn({name: _spread(field, chosen, count) for name, field in column.fields.items()}, valid)
    values = np.zeros(count, column.values.dtype)
    values[chosen] = column.values
    sizes = None
    if column.sizes is not None:
        sizes = np.zeros(count, np.int64)
        sizes[chosen] = column.sizes
    return ValueColumn(values, sizes, valid)


def reader_of(schema: Any, projection: Projection) -> Reader:
    """Make the reader of a schema.

    Raises:
        NotColumnarError: the schema has maps, enums or larger unions.
    """
    return _reader(schema, projection, {}, "", 0)


def _reader(schema: Any, projection: Projection, named: dict[str, Mapping[str, Any]], space: str, depth: int) -> Reader:
    if depth > _DEPTH:
        raise NotColumnarError("a schema that nests too deep")
    if isinstance(schema, list):
        return _nullable(cast("list[Any]", schema), projection, named, space, depth)
    if isinstance(schema, str):
        if schema in _PRIMITIVE:
            return _PRIMITIVE[schema]
        definition = named.get(schema) or named.get(f"{space}.{schema}")
        if definition is None:
            raise NotColumnarError(schema)
        return _reader(definition, projection, named, space, depth + 1)
    kind = schema["type"]
    if kind == "record":
        return _record(schema, projection, named, space, depth)
    if kind == "array":
        return _Array(_reader(schema["items"], projection, named, space, depth + 1))
    if isinstance(kind, str) and kind not in _PRIMITIVE:
        raise NotColumnarError(kind)
    return _reader(kind, projection, named, space, depth + 1)


def _nullable(
    members: list[Any], projection: Projection, named: dict[str, Mapping[str, Any]], space: str, depth: int
) -> Reader:
    if len(members) != 2 or members.count("null") != 1:
        raise NotColumnarError("a union")
    branch = 1 - members.index("null")
    return _Nullable(_reader(members[branch], projection, named, space, depth + 1), branch)


def _record(
    schema: Mapping[str, Any], projection: Projection, named: dict[str, Mapping[str, Any]], space: str, depth: int
) -> Reader:
    space = schema.get("namespace", space)
    named[schema["name"] if "." in schema["name"] else f"{space}.{schema['name']}"] = schema
    named[schema["name"]] = schema
    fields: list[tuple[str, Reader, bool]] = []
    for field in schema["fields"]:
        name = field["name"]
        of_field = projection.get(name, False) if isinstance(projection, Mapping) else projection
        fields.append((name, _reader(field["type"], of_field, named, space, depth + 1), bool(of_field)))
    return _Record(fields)


def fields_of(column: AvroColumn) -> dict[str, AvroColumn]:
    """The columns of the fields of a record; none where no lane has a record."""
    return column.fields if isinstance(column, StructColumn) else {}


def values_of(column: AvroColumn) -> ValueColumn | None:
    """The values of a field; None where no lane has a value."""
    return column if isinstance(column, ValueColumn) else None
