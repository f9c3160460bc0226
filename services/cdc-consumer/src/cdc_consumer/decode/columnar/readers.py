"""An Avro schema -> readers that take lanes through it. Only what is wanted is kept; the rest is passed over."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from cdc_consumer.decode.columnar.lanes import Flags, Lanes, Longs

Wanted = Mapping[str, "Wanted"] | bool
"""Which fields to keep: True for a value, a mapping for some fields of a record, False for nothing."""
_DEPTH: Final = 8
_MANY: Final = 16
"""Items of one array that are read in step; each takes a step of its own."""


class NotVectorisedError(ValueError):
    """The schema holds something that only the reference reads."""


class Cells(NamedTuple):
    """The values of one field. Of text and bytes the position of each, with its `sizes`. `there` is None for all."""

    values: NDArray[Any]
    sizes: Longs | None = None
    there: Flags | None = None


class Row(NamedTuple):
    """The wanted fields of a record."""

    fields: "dict[str, Found]"
    there: Flags | None = None


class Items(NamedTuple):
    """The items of arrays, step by step: the lanes that have a first item and these items, the second ones, …"""

    steps: "list[tuple[Longs, Found]]"
    there: Flags | None = None


Found = Cells | Row | Items | None
"""None: no lane has a value."""


class Reader(Protocol):
    """Reads one type."""

    def read(self, lanes: Lanes) -> Found:
        """The value of each lane."""
        ...

    def skip(self, lanes: Lanes) -> None:
        """Pass over it."""
        ...


class _Long:
    def read(self, lanes: Lanes) -> Found:
        return Cells(lanes.long())

    def skip(self, lanes: Lanes) -> None:
        lanes.skip_long()


class _Bytes:
    def read(self, lanes: Lanes) -> Found:
        sizes = lanes.length()
        start = lanes.at
        lanes.advance(sizes)
        return Cells(start, np.full(len(lanes), sizes) if isinstance(sizes, int) else sizes)

    def skip(self, lanes: Lanes) -> None:
        lanes.advance(lanes.length())


class _Boolean:
    def read(self, lanes: Lanes) -> Found:
        found = lanes.octet()
        lanes.bad |= found > 1
        lanes.advance(1)
        return Cells(found == 1)

    def skip(self, lanes: Lanes) -> None:
        lanes.advance(1)


class _Float:
    def read(self, lanes: Lanes) -> Found:
        found = (lanes.word() & np.uint64(0xFFFFFFFF)).astype(np.uint32).view(np.float32)
        lanes.advance(4)
        return Cells(found)

    def skip(self, lanes: Lanes) -> None:
        lanes.advance(4)


class _Double:
    def read(self, lanes: Lanes) -> Found:
        found = lanes.word().view(np.float64)
        lanes.advance(8)
        return Cells(found)

    def skip(self, lanes: Lanes) -> None:
        lanes.advance(8)


class _Nullable:
    def __init__(self, inner: Reader, branch: int) -> None:
        self._inner = inner
        self._branch = branch

    def read(self, lanes: Lanes) -> Found:
        there = self._there(lanes)
        if isinstance(there, bool):
            return self._inner.read(lanes) if there else None
        chosen = np.flatnonzero(there)
        part = lanes.part(chosen)
        found = self._inner.read(part)
        lanes.join(chosen, part)
        return _spread(found, chosen, len(lanes))

    def skip(self, lanes: Lanes) -> None:
        there = self._there(lanes)
        if isinstance(there, bool):
            if there:
                self._inner.skip(lanes)
            return
        chosen = np.flatnonzero(there)
        part = lanes.part(chosen)
        self._inner.skip(part)
        lanes.join(chosen, part)

    def _there(self, lanes: Lanes) -> Flags | bool:
        """Which lanes have a value, or whether all have one, or none."""
        branch = lanes.length()
        if isinstance(branch, int):
            lanes.bad |= branch > 1
            return branch == self._branch
        odd = branch > 1
        if odd.any():
            lanes.bad |= odd
        there = branch == self._branch
        return True if there.all() else there if there.any() else False


class _Record:
    def __init__(self, fields: list[tuple[str, Reader, bool]]) -> None:
        self._fields = fields

    def read(self, lanes: Lanes) -> Found:
        found: dict[str, Found] = {}
        for name, reader, wanted in self._fields:
            if wanted:
                found[name] = reader.read(lanes)
            else:
                reader.skip(lanes)
        return Row(found)

    def skip(self, lanes: Lanes) -> None:
        for _, reader, _ in self._fields:
            reader.skip(lanes)


class _Array:
    """One block of items with their number before it, as the connector writes; another form makes its lane bad."""

    def __init__(self, items: Reader) -> None:
        self._items = items

    def read(self, lanes: Lanes) -> Found:
        count = np.zeros(len(lanes), np.int64) + lanes.length()
        many = count > _MANY
        lanes.bad |= many
        count[many] = 0
        steps: list[tuple[Longs, Found]] = []
        for step in range(int(count.max(initial=0))):
            chosen = np.flatnonzero(count > step)
            part = lanes.part(chosen)
            steps.append((chosen, self._items.read(part)))
            lanes.join(chosen, part)
        self._close(lanes, np.flatnonzero(count))
        return Items(steps)

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


def _spread(found: Found, chosen: Longs, count: int) -> Found:
    """Values of some lanes as values of all."""
    if found is None:
        return None
    there = np.zeros(count, np.bool_)
    there[chosen] = True if found.there is None else found.there
    if isinstance(found, Items):
        return Items([(chosen[lanes], items) for lanes, items in found.steps], there)
    if isinstance(found, Row):
        return Row({name: _spread(each, chosen, count) for name, each in found.fields.items()}, there)
    values = np.zeros(count, found.values.dtype)
    values[chosen] = found.values
    sizes = None
    if found.sizes is not None:
        sizes = np.zeros(count, np.int64)
        sizes[chosen] = found.sizes
    return Cells(values, sizes, there)


def reader_of(schema: Any, wanted: Wanted) -> Reader:
    """The reader of a schema.

    Raises:
        NotVectorisedError: the schema has maps, enums or larger unions.
    """
    return _reader(schema, wanted, {}, "", 0)


def _reader(schema: Any, wanted: Wanted, named: dict[str, Mapping[str, Any]], space: str, depth: int) -> Reader:
    if depth > _DEPTH:
        raise NotVectorisedError("a schema that nests too deep")
    if isinstance(schema, list):
        return _nullable(cast("list[Any]", schema), wanted, named, space, depth)
    if isinstance(schema, str):
        if schema in _PRIMITIVE:
            return _PRIMITIVE[schema]
        found = named.get(schema) or named.get(f"{space}.{schema}")
        if found is None:
            raise NotVectorisedError(schema)
        return _reader(found, wanted, named, space, depth + 1)
    kind = schema["type"]
    if kind == "record":
        return _record(schema, wanted, named, space, depth)
    if kind == "array":
        return _Array(_reader(schema["items"], wanted, named, space, depth + 1))
    if isinstance(kind, str) and kind not in _PRIMITIVE:
        raise NotVectorisedError(kind)
    return _reader(kind, wanted, named, space, depth + 1)


def _nullable(
    members: list[Any], wanted: Wanted, named: dict[str, Mapping[str, Any]], space: str, depth: int
) -> Reader:
    if len(members) != 2 or members.count("null") != 1:
        raise NotVectorisedError("a union")
    branch = 1 - members.index("null")
    return _Nullable(_reader(members[branch], wanted, named, space, depth + 1), branch)


def _record(
    schema: Mapping[str, Any], wanted: Wanted, named: dict[str, Mapping[str, Any]], space: str, depth: int
) -> Reader:
    space = schema.get("namespace", space)
    named[schema["name"] if "." in schema["name"] else f"{space}.{schema['name']}"] = schema
    named[schema["name"]] = schema
    fields: list[tuple[str, Reader, bool]] = []
    for field in schema["fields"]:
        name = field["name"]
        of_field = wanted.get(name, False) if isinstance(wanted, Mapping) else wanted
        fields.append((name, _reader(field["type"], of_field, named, space, depth + 1), bool(of_field)))
    return _Record(fields)


def fields_of(found: Found) -> dict[str, Found]:
    """The fields of a record; none where there is no record."""
    return found.fields if isinstance(found, Row) else {}


def cells_of(found: Found) -> Cells | None:
    """The values of a field; None where no lane has one."""
    return found if isinstance(found, Cells) else None
