"""The landing chain: the keys of segments, the metadata of their objects, and the check that a chain is whole.

One segment is one Parquet object with the half-open offset range `[start, end)` of one topic partition.
The next segment starts where the last one ended, so a gap or an overlap shows in a listing. Objects are created
create-only, never overwritten and never deleted by the consumer.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple, Protocol, Self

FORMAT_VERSION: Final = 1
"""In each object's metadata as `bank-format`: what an older or a newer reader refuses."""
OFFSETS_PER_BUCKET: Final = 1_000_000
SUFFIX: Final = ".parquet"
MAX_OFFSET: Final = 2**63 - 1
REJECTED_OFFSETS: Final = b"bank-rejected-offsets"
"""Metadata of the Parquet footer: a JSON list of the offsets in the range that went to the dead letters."""
SOURCE_TIME_HEADER: Final = "bank-source-us-min"
_KEY: Final = re.compile(
    r"(?P<topic>[A-Za-z0-9._-]{1,249})/(?P<partition>\d{4})/(?P<bucket>\d{14})/(?P<start>\d{20})\.parquet"
)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class TopicPartition(NamedTuple):
    """One partition of one topic: the unit of order, of assignment and of landing."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True, order=True)
class SegmentKey:
    """The key of a segment: `<topic>/<partition:04d>/<start // 1,000,000:014d>/<start:020d>.parquet`.

    The folder of a million offsets keeps a listing cheap: an object store reads the whole folder for one LIST.
    """

    topic: str
    partition: int
    start: int

    def __str__(self) -> str:
        return f"{bucket_prefix(self.topic, self.partition, self.start // OFFSETS_PER_BUCKET)}{self.start:020d}{SUFFIX}"

    @classmethod
    def parse(cls, key: str) -> Self:
        """Read a key back.

        Raises:
            ValueError: the text is not a segment's key (wrong shape, or start and folder disagree).
        """
        match = _KEY.fullmatch(key)
        if match is None or not key.isascii():
            raise ValueError("not the key of a landing segment")
        parsed = cls(match["topic"], int(match["partition"]), int(match["start"]))
        if parsed.start > MAX_OFFSET or str(parsed) != key:
            raise ValueError("the key's folder and its start offset disagree")
        return parsed


def chain_prefix(topic: str, partition: int) -> str:
    """The prefix below which one chain lives, with its closing slash."""
    return f"{topic}/{partition:04d}/"


def bucket_prefix(topic: str, partition: int, bucket: int) -> str:
    """The prefix of one folder of a chain: `bucket` is a start offset divided by `OFFSETS_PER_BUCKET`."""
    return f"{chain_prefix(topic, partition)}{bucket:014d}/"


@dataclass(frozen=True, slots=True)
class SegmentMetadata:
    """The user metadata of a segment's object (at most 2 KB in S3).

    `end` is the last delivered offset + 1; `rows` counts rows in the Parquet file and `rejected` the dead letters
    of the range (their offsets are in the file's footer); `sha256` is of the object's bytes, in hex. `source_us_min` is
    the earliest commit time of its rows, by the source's clock, in epoch microseconds: for pacing, never for order.
    """

    topic_id: str
    start: int
    end: int
    rows: int
    rejected: int
    schema_id: int
    sha256: str
    lsn_min: int | None = None
    lsn_max: int | None = None
    traceparent: str | None = None
    source_us_min: int | None = None

    def to_headers(self) -> dict[str, str]:
        """Encode as S3 user metadata, without the `x-amz-meta-` prefix. Absent values are left out."""
        optional = {
            "bank-lsn-min": self.lsn_min,
            "bank-lsn-max": self.lsn_max,
            "bank-traceparent": self.traceparent,
            SOURCE_TIME_HEADER: self.source_us_min,
        }
        return {
            "bank-format": str(FORMAT_VERSION),
            "bank-topic-id": self.topic_id,
            "bank-start": str(self.start),
            "bank-end": str(self.end),
            "bank-rows": str(self.rows),
            "bank-rejected": str(self.rejected),
            "bank-schema-id": str(self.schema_id),
            "bank-sha256": self.sha256,
            **{name: str(value) for name, value in optional.items() if value is not None},
        }

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self:
        """Read user metadata back; keys may come in any case and with the `x-amz-meta-` prefix.

        Raises:
            ValueError: a field is missing or malformed, or the format is one that this version can't read.
        """
        fields = {name.lower().removeprefix("x-amz-meta-"): value for name, value in headers.items()}
        version = fields.get("bank-format")
        if version != str(FORMAT_VERSION):
            raise ValueError(f"segment format {version!r}, this version reads {FORMAT_VERSION}")
        try:
            metadata = cls(
                topic_id=fields["bank-topic-id"],
                start=int(fields["bank-start"]),
                end=int(fields["bank-end"]),
                rows=int(fields["bank-rows"]),
                rejected=int(fields["bank-rejected"]),
                schema_id=int(fields["bank-schema-id"]),
                sha256=fields["bank-sha256"],
                lsn_min=_optional_int(fields, "bank-lsn-min"),
                lsn_max=_optional_int(fields, "bank-lsn-max"),
                traceparent=fields.get("bank-traceparent"),
                source_us_min=_optional_int(fields, SOURCE_TIME_HEADER),
            )
        except KeyError as missing:
            raise ValueError(f"segment metadata lacks {missing.args[0]}") from None
        if not 0 <= metadata.start < metadata.end or min(metadata.rows, metadata.rejected) < 0:
            raise ValueError(f"impossible segment range [{metadata.start}, {metadata.end}) with {metadata.rows} rows")
        if not _SHA256.fullmatch(metadata.sha256):
            raise ValueError("bank-sha256 is not 64 hexadecimal digits")
        return metadata


def _optional_int(fields: Mapping[str, str], name: str) -> int | None:
    return int(fields[name]) if name in fields else None


class OffsetRange(Protocol):
    """A half-open range of offsets: the metadata of a segment, a row of the ledger."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """Two neighbours of a chain with a gap (`next_start > end`) or an overlap between them."""

    end: int
    next_start: int

    @property
    def kind(self) -> str:
        """`"gap"` or `"overlap"`."""
        return "gap" if self.next_start > self.end else "overlap"


def chain_breaks(ranges: Iterable[OffsetRange]) -> Iterator[ChainBreak]:
    """Yield the gaps and overlaps of a chain, which is given in order of `start`."""
    for left, right in pairwise(ranges):
        if left.end != right.start:
            yield ChainBreak(left.end, right.start)
