"""Raw records of one partition, as columns: a Python object for each record would be most of the cost."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

Headers = Sequence[tuple[str, bytes | None]]
"""A record's headers, in their order; a name may come twice."""


@dataclass(slots=True)
class Records:
    """Records in the order of their offsets; the columns have one length. A value of None is a tombstone.

    `written` is when Kafka got the first of them, in seconds since 1970, where that is known.
    """

    offsets: list[int] = field(default_factory=list[int])
    keys: list[bytes | None] = field(default_factory=list[bytes | None])
    values: list[bytes | None] = field(default_factory=list[bytes | None])
    headers: list[Headers | None] = field(default_factory=list[Headers | None])
    written: float | None = None

    @property
    def count(self) -> int:
        """The number of records."""
        return len(self.offsets)

    def part(self, start: int, stop: int) -> "Records":
        """The records from index `start` to before index `stop`; these records themselves, where that is all."""
        if start == 0 and stop >= self.count:
            return self
        return Records(
            self.offsets[start:stop],
            self.keys[start:stop],
            self.values[start:stop],
            self.headers[start:stop],
            self.written,
        )

    def since(self, offset: int) -> "Records":
        """The records from an offset on."""
        return self.part(bisect_left(self.offsets, offset), self.count)

    def extend(self, later: "Records") -> None:
        """Take over the records that follow these; `later` keeps columns of its own."""
        if not self.count:
            self.written = later.written
        self.offsets += later.offsets
        self.keys += later.keys
        self.values += later.values
        self.headers += later.headers


def header(headers: Headers | None, name: str) -> bytes | None:
    """The value of the last header of that name."""
    return None if not headers else dict(headers).get(name)
