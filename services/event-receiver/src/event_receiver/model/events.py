"""MinIO's notification as bytes -> what it says about landed segments. No I/O; any bytes at all give an answer."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, cast
from urllib.parse import unquote_plus

from bank_common.landing.segments import SOURCE_TIME_HEADER, SegmentKey

_CREATED: Final = "s3:ObjectCreated:"
_METADATA: Final = "x-amz-meta-"
_TRACEPARENT_HEADER: Final = f"{_METADATA}bank-traceparent"
_MICROSECONDS: Final = re.compile(r"[0-9]{1,18}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Poison(Enum):
    """A record of a well-formed notification that is no hint. It is acknowledged: MinIO would resend it for ever."""

    EVENT = "event"
    """Not about a created object."""
    BUCKET = "bucket"
    """Not in the landing bucket."""
    KEY = "key"
    """Not the key of a segment."""
    TOPIC = "topic"
    """A segment's key, of a topic that does not land."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A segment that may have landed; what its metadata names of the trace it belongs to and of its oldest change.

    `committed` is when that change was committed, by the source's clock, in seconds since 1970.
    """

    key: SegmentKey
    traceparent: str | None
    committed: float | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A well-formed notification: one entry per record, in their order."""

    records: tuple[Hint | Poison, ...]


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a notification; `reason` says what is missing, without anything from the payload."""

    reason: str


def parse(body: bytes, *, bucket: str, topics: Collection[str]) -> Notification | Malformed:
    """Read a notification's body. Never raises; nothing in it is trusted or followed."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Malformed("not JSON")
    records = _at(document, "Records")
    if not isinstance(records, list):
        return Malformed("no list of records")
    read = [_record(record, bucket, topics) for record in cast("list[Any]", records)]
    well_formed = tuple(record for record in read if record is not None)
    return (
        Notification(well_formed)
        if len(well_formed) == len(read)
        else Malformed("a record without event, bucket or key")
    )


def _record(record: Any, bucket: str, topics: Collection[str]) -> Hint | Poison | None:
    event = _text(record, "eventName")
    named_bucket = _text(record, "s3", "bucket", "name")
    quoted_key = _text(record, "s3", "object", "key")
    if event is None or named_bucket is None or quoted_key is None:
        return None
    if not event.startswith(_CREATED):
        return Poison.EVENT
    if named_bucket != bucket:
        return Poison.BUCKET
    try:
        # MinIO escapes keys as in a query string; a second decoding would let one key pose as another.
        key = SegmentKey.parse(unquote_plus(quoted_key, errors="strict"))
    except ValueError:
        return Poison.KEY
    if key.topic not in topics:
        return Poison.TOPIC
    microseconds = _metadata(record, _METADATA + SOURCE_TIME_HEADER, _MICROSECONDS)
    committed = int(microseconds) / 1_000_000 if microseconds is not None else None
    return Hint(key, _metadata(record, _TRACEPARENT_HEADER, _TRACEPARENT), committed)


def _metadata(record: Any, header: str, shape: re.Pattern[str]) -> str | None:
    metadata = _at(record, "s3", "object", "userMetadata")
    if not isinstance(metadata, dict):
        return None
    for name, value in cast("dict[str, Any]", metadata).items():
        if name.lower() == header and isinstance(value, str) and shape.fullmatch(value):
            return value
    return None


def _text(record: Any, *path: str) -> str | None:
    value = _at(record, *path)
    return value if isinstance(value, str) else None


def _at(record: Any, *path: str) -> Any:
    for name in path:
        record = cast("dict[str, Any]", record).get(name) if isinstance(record, dict) else None
    return record
