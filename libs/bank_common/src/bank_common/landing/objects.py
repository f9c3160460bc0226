"""The check of one landed object against its key and its metadata. Needs the `landing` extra (pyarrow)."""

# Arrow has no types.
# pyright: standard

import hashlib
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bank_common.landing import columns as c
from bank_common.landing.segments import REJECTED_OFFSETS, SegmentKey, SegmentMetadata


def object_problems(key: SegmentKey, metadata: SegmentMetadata, body: bytes) -> list[str]:
    """Return the problems of an object, one sentence each; none for a good object."""
    if hashlib.sha256(body).hexdigest() != metadata.sha256:
        return [f"{key}: its bytes are not those that were written (sha256 differs)"]
    try:
        file = pq.ParquetFile(io.BytesIO(body))
        table = file.read([c.OFFSET, c.SEGMENT])
        rejected: Any = json.loads((file.schema_arrow.metadata or {}).get(REJECTED_OFFSETS, b"[]"))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        return [f"{key}: it can't be read as a segment ({type(error).__name__})"]
    offsets: list[int] = table[c.OFFSET].to_pylist()
    problems: list[str] = []
    if len(offsets) != metadata.rows:
        problems.append(f"{key}: {len(offsets)} rows, and its metadata says {metadata.rows}")
    if len(rejected) != metadata.rejected:
        problems.append(
            f"{key}: {len(rejected)} rejected offsets in its footer, and its metadata says {metadata.rejected}"
        )
    if sorted(set(offsets) | set(rejected)) != sorted([*offsets, *rejected]) or sorted(offsets) != offsets:
        problems.append(f"{key}: its offsets do not ascend, or one comes twice")
    if any(not metadata.start <= offset < metadata.end for offset in (*offsets, *rejected)):
        problems.append(f"{key}: an offset is outside [{metadata.start}, {metadata.end})")
    if set(table[c.SEGMENT].to_pylist()) - {str(key)}:
        problems.append(f"{key}: its rows name another segment")
    return problems
