import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_common.landing.segments import ChainBreak, SegmentKey, SegmentMetadata, chain_breaks

topics = st.from_regex(r"[A-Za-z0-9._-]{1,60}", fullmatch=True)
offsets = st.integers(0, 2**63 - 1)
keys = st.builds(SegmentKey, topics, st.integers(0, 9999), offsets)
EXAMPLE = SegmentMetadata(
    topic_id="abc", start=5, end=9, rows=3, rejected=1, schema_id=7, sha256="a" * 64, lsn_min=1, lsn_max=2
)


@given(keys)
def test_key_survives_the_round_trip(key: SegmentKey) -> None:
    assert SegmentKey.parse(str(key)) == key


@given(
    st.builds(SegmentKey, st.just("t"), st.just(0), offsets), st.builds(SegmentKey, st.just("t"), st.just(0), offsets)
)
def test_a_listing_sorts_segments_by_offset(left: SegmentKey, right: SegmentKey) -> None:
    assert (str(left) < str(right)) == (left.start < right.start)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "bank.public.customers/0000/00000000000000/00000000000000000000.parquet.tmp",
        "bank.public.customers/0000/00000000000001/00000000000000000000.parquet",
        "../0000/00000000000000/0000000000000000000.parquet",
        "a/b/0000/00000000000000/00000000000000000000.parquet",
        "bank.public.customers/0000/00000000000000/00000000000000000000.parquet\n",
        "bank.public.customers/\u0660\u0660\u0660\u0660/00000000000000/00000000000000000000.parquet",
        "bank.public.customers/0000/99999999999999/99999999999999999999.parquet",
    ],
)
def test_anything_else_is_no_key(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        SegmentKey.parse(key)


@given(st.text())
def test_parsing_any_text_gives_a_key_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert str(SegmentKey.parse(text)) == text


@pytest.mark.parametrize(
    "example",
    [
        EXAMPLE,
        replace(EXAMPLE, lsn_min=None, traceparent="00-1-2-01"),
        replace(EXAMPLE, source_us_min=1_795_836_727_000_001),
    ],
)
def test_metadata_survives_the_round_trip(example: SegmentMetadata) -> None:
    headers = {f"X-Amz-Meta-{name.title()}": value for name, value in example.to_headers().items()}
    assert SegmentMetadata.from_headers(headers) == example


@pytest.mark.parametrize("name", sorted(replace(EXAMPLE, lsn_min=None, lsn_max=None).to_headers()))
def test_metadata_without_a_field_is_refused_by_name(name: str) -> None:
    headers = EXAMPLE.to_headers()
    del headers[name]
    with pytest.raises(ValueError, match=name if name != "bank-format" else "format"):
        SegmentMetadata.from_headers(headers)


@pytest.mark.parametrize(
    "change", [{"bank-end": "5"}, {"bank-rows": "-1"}, {"bank-sha256": "zz"}, {"bank-format": "2"}, {"bank-start": "x"}]
)
def test_impossible_metadata_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each field has its own wording
        SegmentMetadata.from_headers(EXAMPLE.to_headers() | change)


def test_metadata_fits_into_the_limit_of_the_store() -> None:
    largest = SegmentMetadata(
        "i" * 22, 2**63 - 2, 2**63 - 1, 2**31, 2**31, 2**31 - 1, "f" * 64, 2**63 - 1, 2**63 - 1, "0" * 55, 2**63 - 1
    )
    assert sum(len(name) + len(value) for name, value in largest.to_headers().items()) < 2048


def _range(start: int, end: int) -> SegmentMetadata:
    return replace(EXAMPLE, start=start, end=end)


def test_gaps_and_overlaps_are_found() -> None:
    assert list(chain_breaks([_range(0, 5), _range(5, 9)])) == []
    breaks = list(chain_breaks([_range(0, 5), _range(7, 9), _range(8, 12)]))
    assert breaks == [ChainBreak(5, 7), ChainBreak(9, 8)]
    assert [broken.kind for broken in breaks] == ["gap", "overlap"]
