from dataclasses import replace

import pytest
from consumer_testing.fakes import FaultyObjectStore, MemoryObjectStore
from hypothesis import given
from hypothesis import strategies as st

from bank_common.landing.segments import SegmentKey, SegmentMetadata, TopicPartition
from cdc_consumer.failures import BrokenTail, FailedError, StoreUnavailable
from cdc_consumer.segments.chain import append, find_tail
from cdc_consumer.segments.put import PutAnswer
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
    assert find_tail(MemoryObjectStore(), TOPIC_PARTITION) is None


@given(
    st.lists(st.integers(1, 700_000), min_size=1, max_size=12),
    st.none() | st.integers(0, 10**7),
)
def test_the_tail_is_found_with_any_hint(lengths: list[int], hint: int | None) -> None:
    store = MemoryObjectStore()
    start = 0
    for length in lengths:
        assert append(store, segment(start, start + length)) is PutAnswer.CREATED
        start += length
    tail = find_tail(store, TOPIC_PARTITION, hint)
    assert tail is not None
    assert tail.end == start
    assert find_tail(store, TopicPartition("t", 30)) is None


def test_a_hint_saves_the_listing() -> None:
    store = CountingStore()
    for start in range(100):
        append(store, segment(start, start + 1))
    store.listed = 0
    tail = find_tail(store, TOPIC_PARTITION, hint=98)
    assert tail is not None
    assert (tail.end, store.listed) == (100, 2)


def test_a_repeat_after_a_lost_answer_is_found() -> None:
    store = FaultyObjectStore(MemoryObjectStore())
    store.lose_answers = 1
    with pytest.raises(FailedError):
        append(store, segment(0, 5))
    assert append(store, segment(0, 5)) is PutAnswer.HOLDS_SAME


@pytest.mark.parametrize("other", [segment(0, 5, b"other"), segment(0, 6)])
def test_another_owner_s_segment_wins(other: Segment) -> None:
    store = MemoryObjectStore()
    append(store, other)
    before = dict(store.objects)
    assert append(store, segment(0, 5)) is PutAnswer.HOLDS_OTHER
    assert store.objects == before


def test_an_object_that_exists_and_can_not_be_read_is_no_answer() -> None:
    class Unreadable(MemoryObjectStore):
        def read(self, key: str) -> None:
            return None

    store = Unreadable()
    append(store, segment(0, 5))
    with pytest.raises(FailedError) as caught:
        append(store, segment(0, 5))
    assert isinstance(caught.value.failure, StoreUnavailable)


@pytest.mark.parametrize(
    "metadata", [{}, segment(1, 5).metadata.to_headers(), replace(segment(0, 5).metadata, sha256="x").to_headers()]
)
def test_a_tail_that_is_no_segment_is_named(metadata: dict[str, str]) -> None:
    store = MemoryObjectStore()
    key = str(SegmentKey("t", 3, 0))
    store.create(key, b"", metadata)
    with pytest.raises(FailedError) as caught:
        find_tail(store, TOPIC_PARTITION)
    assert isinstance(caught.value.failure, BrokenTail)
    assert caught.value.failure.key == key
