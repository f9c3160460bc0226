"""Dead-letter records: what the dead-letter topic holds of an undecodable record, written and read back. Pure.

The key is the address of the original record, so that one that is sent twice is one record after compaction and for
every reader. The value is the original's, byte for byte; the original's headers come first, then ours.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from bank_common.landing.segments import TopicPartition
from cdc_consumer.model.records import Headers, header

PREFIX: Final = "dead-letter."
_KEY: Final = f"{PREFIX}key"
_REASON: Final = f"{PREFIX}reason"
_DETAIL: Final = f"{PREFIX}detail"


class Address(NamedTuple):
    """The topic, partition and offset of the original record."""

    topic: str
    partition: int
    offset: int

    def encode(self) -> bytes:
        """Encode it as the key of the dead-letter record."""
        return f"{self.topic}/{self.partition}/{self.offset}".encode()

    @classmethod
    def parse(cls, key: bytes | None) -> Self:
        """Read the key of a dead-letter record back.

        Raises:
            ValueError: it is not one.
        """
        parts = (key or b"").decode("utf-8", "replace").split("/")
        if len(parts) != 3 or not (parts[0] and parts[1].isdecimal() and parts[2].isdecimal()):
            raise ValueError("not the key of a dead letter: topic/partition/offset")
        return cls(parts[0], int(parts[1]), int(parts[2]))


class DeadLetterRecord(NamedTuple):
    """One record that could not be decoded, with everything it takes to produce it again."""

    address: Address
    key: bytes | None
    value: bytes
    headers: Headers
    reason: str
    detail: str

    @property
    def topic_partition(self) -> TopicPartition:
        """The partition of the original record."""
        return TopicPartition(self.address.topic, self.address.partition)

    def to_headers(self) -> list[tuple[str, bytes | None]]:
        """The headers of the dead-letter record: the original's, then ours."""
        own: list[tuple[str, bytes | None]] = [(_REASON, self.reason.encode()), (_DETAIL, self.detail.encode())]
        if self.key is not None:
            own.append((_KEY, self.key))
        return [*self.headers, *own]

    @classmethod
    def from_record(cls, key: bytes | None, value: bytes, headers: Headers | None) -> Self:
        """Read a dead-letter record back.

        Raises:
            ValueError: the record is no dead letter.
        """
        reason = header(headers, _REASON)
        if reason is None:
            raise ValueError(f"not a dead letter: it has no header {_REASON}")
        return cls(
            Address.parse(key),
            header(headers, _KEY),
            value,
            [pair for pair in headers or () if not pair[0].startswith(PREFIX)],
            reason.decode("utf-8", "replace"),
            (header(headers, _DETAIL) or b"").decode("utf-8", "replace"),
        )


def open_dead_letters(records: Sequence[tuple[bytes | None, bytes | None, Headers | None]]) -> list[DeadLetterRecord]:
    """Return the dead letters that were not replayed, by address, from the records of the topic in their order.

    A tombstone says that the dead letter of its key was replayed. Records of another form are left out.
    """
    open_records: dict[bytes, DeadLetterRecord] = {}
    for key, value, headers in records:
        if value is None:
            open_records.pop(key or b"", None)
            continue
        try:
            dead_letter = DeadLetterRecord.from_record(key, value, headers)
        except ValueError:
            continue
        open_records[dead_letter.address.encode()] = dead_letter
    return sorted(open_records.values(), key=lambda dead_letter: dead_letter.address)
