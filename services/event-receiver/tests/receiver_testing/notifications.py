"""Notifications: the ones captured from MinIO, and changes of them."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from bank_common.landing.segments import SegmentKey

GOLDEN = Path(__file__).parents[1] / "unit" / "golden"
SEGMENT = (GOLDEN / "minio_put_segment.json").read_bytes()
"""MinIO's own body for a segment with metadata (captured from the pinned build)."""
ODD_KEY = (GOLDEN / "minio_put_odd_key.json").read_bytes()
"""The same for the key `odd key/a+b=é%.parquet`."""


def about(key: str | SegmentKey, *, bucket: str = "bank-landing", event: str = "s3:ObjectCreated:Put") -> bytes:
    """MinIO's notification with another key, bucket or event."""
    document: dict[str, Any] = json.loads(SEGMENT)
    record = document["Records"][0]
    record["eventName"] = event
    record["s3"]["bucket"]["name"] = bucket
    record["s3"]["object"]["key"] = quote_plus(str(key))
    return json.dumps(document).encode()
