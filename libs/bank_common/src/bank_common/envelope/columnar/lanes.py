"""Lanes: many Avro bodies that are read at once, one lane per record, each with its own position. Nothing raises.

A lane that meets an unusual form is marked bad and reads on, within bounds; its values are garbage. Positions never go
back, so a good lane that ends at the end of its record never left it.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]

PADDING: Final = 16  # before and after the records: whatever is looked at from a lane's position is there
MAX_BLOCK_BYTES: Final = 2**31 - 2**16
"""Arrow's offsets of text have 32 bits."""
_WORD: Final = 8
_LONGEST: Final = 10  # bytes of a varint of 64 bits
_CONTINUES: Final = np.uint64(0x8080808080808080)
_PAYLOAD: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_ONE: Final = np.uint64(1)
# Seven-bit groups close up in three steps: 8 x 7 bits -> 4 x 14 -> 2 x 28 -> 56. (keep, move, by)
_STEPS: Final = tuple(
    (np.uint64(keep), np.uint64(move), np.uint64(by))
    for keep, move, by in (
        (0x007F007F007F007F, 0x7F007F007F007F00, 1),
        (0x00003FFF00003FFF, 0x3FFF00003FFF0000, 2),
        (0x000000000FFFFFFF, 0x0FFFFFFF00000000, 4),
    )
)

# By a varint's size of up to eight bytes: the bits that say how long it is, how they stand then, and its payload.
_SIZES: Final = tuple(np.uint64(0x8080808080808080 & (1 << 8 * size) - 1) for size in range(_WORD + 1))
_MARKS: Final = tuple(np.uint64(0x8080808080808080 & (1 << 8 * size >> 8) - 1) for size in range(_WORD + 1))
_PAYLOADS: Final = tuple(np.uint64(0x7F7F7F7F7F7F7F7F & (1 << 8 * size) - 1) for size in range(_WORD + 1))


class Block:
    """The bytes of all lanes in one buffer, in order. `starts` and `ends` bound the body of each lane."""

    def __init__(self, records: Sequence[bytes], header: int) -> None:
        """Each record's body follows `header` bytes. Together they may have `MAX_BLOCK_BYTES`."""
        self.data = b"".join((bytes(PADDING), *records, bytes(PADDING)))
        self.octets = np.frombuffer(self.data, np.uint8)
        # Eight bytes from any position on, as one number.
        self.words = np.ndarray((len(self.data) - 7,), np.dtype("<u8"), self.data, strides=(1,))
        self.limit = len(self.data) - _LONGEST
        self.ends: Longs = np.fromiter(map(len, records), np.int64, len(records)).cumsum() + PADDING
        self.starts: Longs = np.concatenate(([PADDING], self.ends))[:-1] + header

    def __len__(self) -> int:
        return len(self.ends)


class Lanes:
    """The positions of lanes in a block, and which lanes are bad."""

    def __init__(self, block: Block, at: Longs) -> None:
        self.block = block
        self.at = at
        self.bad: Flags = np.zeros(len(at), np.bool_)

    def __len__(self) -> int:
        return len(self.at)

    def part(self, chosen: Longs) -> "Lanes":
        """Split off some of the lanes; `join` brings them back."""
        return Lanes(self.block, self.at[chosen])

    def join(self, chosen: Longs, part: "Lanes") -> None:
        """Take over the positions and the bad lanes of a part."""
        self.at[chosen] = part.at
        self.bad[chosen] |= part.bad

    def advance(self, count: Any) -> None:
        """Move on by that many bytes; nothing beyond the block is ever read."""
        self.at = self.at + count

    def octet(self) -> NDArray[np.uint8]:
        """The byte at each position."""
        return self.block.octets.take(self.at, mode="clip")

    def word(self) -> NDArray[np.uint64]:
        """The eight bytes from each position on, little-endian. A position beyond the block goes to its limit."""
        self.at = np.minimum(self.at, self.block.limit)
        return self.block.words[self.at]

    def skip_long(self) -> None:
        """Skip one Avro int or long."""
        word = self.word()
        alike = _alike(word)
        if alike:
            self.at = self.at + alike
            return
        _, stop, size = _varint(word)
        self._finish(stop, size)

    def long(self) -> Longs:
        """Read one Avro int or long."""
        word = self.word()
        size = _alike(word)
        if size:
            payload = word & _PAYLOADS[size]
            high = None
            self.at = self.at + size
        else:
            payload, stop, sizes = _varint(word)
            high = self._finish(stop, sizes)
        for step, (keep, move, by) in enumerate(_STEPS):
            if not size or size > 1 << step:
                payload = (payload & keep) | ((payload & move) >> by)
        if high is not None:
            payload |= high
        return ((payload >> _ONE) ^ (~(payload & _ONE) + _ONE)).view(np.int64)

    def length(self) -> Longs | int:
        """Read a size in bytes, or the branch of a union. A negative one makes its lane bad.

        Returns one number when it is the same in all lanes.
        """
        head = self.octet()
        if len(head) and not head[0] & 0x81 and (head == head[0]).all():
            self.at = self.at + 1
            return int(head[0]) >> 1
        if not (head & 0x81).any():
            self.at = self.at + 1
            return (head >> 1).astype(np.int64)
        sizes = self.long()
        negative = sizes < 0
        if negative.any():
            self.bad |= negative
            sizes = np.where(negative, 0, sizes)
        # Beyond the block is bad in any case, and the sum of two such sizes would not fit.
        return np.minimum(sizes, self.block.limit)

    def _finish(self, stop: NDArray[np.uint64], size: Longs) -> NDArray[np.uint64] | None:
        """Move on; the bits from the ninth and tenth byte where some lane has them."""
        longer = stop == 0
        if not longer.any():
            self.at = self.at + size
            return None
        ninth = self.block.octets.take(self.at + 8, mode="clip")
        tenth = self.block.octets.take(self.at + 9, mode="clip")
        has_tenth = longer & (ninth >= 0x80)
        self.bad |= has_tenth & (tenth > 1)
        self.at = self.at + size + longer + has_tenth
        high = (ninth & 0x7F).astype(np.uint64) << np.uint64(56)
        high |= np.where(has_tenth, tenth & 1, 0).astype(np.uint64) << np.uint64(63)
        return np.where(longer, high, np.uint64(0))


def _varint(word: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64], Longs]:
    """A varint's bits in groups of seven, the bit that says where it stops (0: not within eight bytes), its size."""
    stop = ~word & _CONTINUES
    mask = stop ^ (stop - _ONE)  # up to the first byte that does not go on; all of them when none stops
    return word & mask & _PAYLOAD, stop, np.bitwise_count(mask).astype(np.int64) >> 3


def _alike(word: NDArray[np.uint64]) -> int:
    """The size of the varints at the start of these words when all have the same, up to eight bytes; else 0."""
    if not len(word):
        return 0
    stop = ~int(word[0]) & int(_CONTINUES)
    if not stop:
        return 0
    size = (stop & -stop).bit_length() >> 3
    return size if ((word & _SIZES[size]) == _MARKS[size]).all() else 0
