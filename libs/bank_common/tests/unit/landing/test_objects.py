"""Whatever is wrong with an object is found, and nothing is wrong with a good one."""

import hashlib
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bank_common.landing.objects import object_problems
from bank_common.landing.segments import REJECTED_OFFSETS, SegmentKey, SegmentMetadata

KEY = SegmentKey("bank.public.accounts", 0, 10)


def body(offsets: list[int], rejected: list[int], segment: str = str(KEY)) -> bytes:
    table = pa.table({"_cdc_offset": pa.array(offsets, pa.int64()), "_cdc_segment": [segment] * len(offsets)})
    target = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({REJECTED_OFFSETS: json.dumps(rejected).encode()}), target)
    return target.getvalue()


def problems(data: bytes, rows: int = 2, rejected: int = 1, sha256: str | None = None) -> list[str]:
    digest = sha256 or hashlib.sha256(data).hexdigest()
    return object_problems(KEY, SegmentMetadata("id", 10, 20, rows, rejected, 1, digest), data)


def test_a_good_object_has_no_problem() -> None:
    assert problems(body([10, 12], [11])) == []
    assert problems(body([], [10]), rows=0) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (body([10], [11]), "1 rows"),
        (body([10, 12], []), "0 rejected"),
        (body([12, 10], [11]), "ascend"),
        (body([10, 10], [11]), "twice"),
        (body([10, 12], [12]), "twice"),
        (body([10, 20], [11]), "outside"),
        (body([10, 12], [9]), "outside"),
        (body([10, 12], [11], segment="elsewhere"), "another segment"),
        (b"PAR1 junk", "can't be read"),
    ],
)
def test_a_broken_object_says_what_is_wrong(data: bytes, said: str) -> None:
    [problem] = problems(data)
    assert said in problem
    assert problem.startswith(str(KEY))


def test_a_changed_byte_is_found() -> None:
    good = body([10, 12], [11])
    [problem] = problems(good, sha256=hashlib.sha256(good + b"x").hexdigest())
    assert "sha256" in problem
