"""The Confluent wire format: a zero byte, the schema's id in four bytes (big endian), then the Avro body."""

from typing import Final, NamedTuple

from bank_common.envelope.events import DecodeError, DecodeErrorReason

MAGIC: Final = 0
HEADER_BYTES: Final = 5


class Framed(NamedTuple):
    """A record's schema id and its Avro body."""

    schema_id: int
    body: bytes


def unframe(data: bytes) -> Framed | DecodeError:
    """Split a record's bytes; anything that is not in the format is a `DecodeError`, nothing raises."""
    if len(data) < HEADER_BYTES:
        return DecodeError(DecodeErrorReason.TRUNCATED, f"{len(data)} bytes are less than a header")
    if data[0] != MAGIC:
        return DecodeError(DecodeErrorReason.BAD_MAGIC, f"the first byte is {data[0]}")
    return Framed(int.from_bytes(data[1:HEADER_BYTES], "big"), data[HEADER_BYTES:])
