from dataclasses import replace

import pytest
from consumer_testing.fakes import FaultyObjectStore, MemoryObjectStore
from hypothesis import given
from hypothesis import strategies as st

from bank_common.landing.segments import SegmentKey, SegmentMetadata, TopicPartition
from cdc_consumer.failures import BrokenTail, FailedError
from cdc_consumer.segments.chain import Appended, ChainStore
from cdc_consumer.segments.segment import Segment

TOPIC_PARTITION = TopicPartition("t", 3)


def segment(start: int, end: int, body: bytes = b"body") -> Segment:
    import hashlib

    sha256 = hashlib.sha256(body).hexdigest()
    metadata = SegmentMetadata(topic_id="id", start=start, end=end, rows=1, rejected=0, schema_id=1, sha256=sha256)
    return Segment(SegmentKey("t", 3, start), body, metadata)


class CountingStore(MemoryObjectStore):
    """Counts the keys that listings returned."""

    listed = 0

    def keys(self, prefix: str, after: str | None = None) -> list[str]:
        keys = list(super().keys(prefix, after))
        self.listed += len(keys)
        return keys


def test_an_empty_chain_has_no_tail() -> None:
    assert ChainStore(MemoryObjectStore()).tail(TOPIC_PARTITION) is None


@given(
    st.lists(st.integers(1, 700_000), min_size=1, max_size=12),
    st.none() | st.integers(0, 10**7),
)
def test_the_tail_is_found_with_any_hint(lengths: list[int], hint: int | None) -> None:
    chains = ChainStore(MemoryObjectStore())
    start = 0
    for length in lengths:
        assert chains.append(segment(start, start + length)) is Appended.CREATED
        start += length
    tail = chains.tail(TOPIC_PARTITION, hint)
    assert tail is not None
    assert tail.end == start
    assert chains.tail(TopicPartition("t", 30)) is None


def test_a_hint_saves_the_listing() -> None:
    store = CountingStore()
    chains = ChainStore(store)
    for start in range(100):
        chains.append(segment(start, start + 1))
    store.listed = 0
    tail = chains.tail(TOPIC_PARTITION, hint=98)
    assert tail is not None
    assert (tail.end, store.listed) == (100, 2)


def test_a_repeat_after_a_lost_answer_is_found() -> None:
    store = FaultyObjectStore(MemoryObjectStore())
    chains = ChainStore(store)
    store.lose_answers = 1
    with pytest.raises(FailedError):
        chains.append(segment(0, 5))
    assert chains.append(segment(0, 5)) is Appended.ALREADY_THERE


@pytest.mark.parametrize("other", [segment(0, 5, b"other"), segment(0, 6)])
def test_another_owner_s_segment_wins(other: Segment) -> None:
    store = MemoryObjectStore()
    chains = ChainStore(store)
    chains.append(other)
    before = dict(store.objects)
    assert chains.append(segment(0, 5)) is Appended.LOST_RACE
    assert store.objects == before


@pytest.mark.parametrize(
    "metadata", [{}, segment(1, 5).metadata.to_headers(), replace(segment(0, 5).metadata, sha256="x").to_headers()]
)
def test_a_tail_that_is_no_segment_is_named(metadata: dict[str, str]) -> None:
    store = MemoryObjectStore()
    key = str(SegmentKey("t", 3, 0))
    store.create(key, b"", metadata)
    with pytest.raises(FailedError) as caught:
        ChainStore(store).tail(TOPIC_PARTITION)
    assert isinstance(caught.value.failure, BrokenTail)
    assert caught.value.failure.key == key
