"""The chains in the object store: find the tail of a chain, append a segment."""

import hashlib
from enum import Enum

from bank_common.landing.segments import SegmentKey, SegmentMetadata, TopicPartition, chain_prefix
from cdc_consumer.failures import BrokenTail, FailedError, StoreUnavailable
from cdc_consumer.ports import ObjectStore
from cdc_consumer.segments.segment import Segment


class Appended(Enum):
    """The outcome of an append."""

    CREATED = "created"
    ALREADY_THERE = "already there"
    """The object was there already, byte for byte: the answer to an earlier attempt was lost."""
    LOST_RACE = "lost race"
    """Another member had created a segment of this key with other bytes: ours must be dropped."""


class ChainStore:
    """The chains of the landing bucket. Append-only: nothing is overwritten, nothing is deleted."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def tail(self, topic_partition: TopicPartition, hint: int | None = None) -> SegmentMetadata | None:
        """Return the metadata of the last segment of a chain, or None for an empty chain.

        One request lists the folders, further ones the last folder, page by page. With `hint`, the start of a segment
        that once was the tail, the listing begins there. A hint may be old or wrong; it only saves requests.

        Raises:
            FailedError: the store failed, or the last object is no segment of this chain.
        """
        folders = self._store.folders(chain_prefix(*topic_partition))
        if not folders:
            return None
        keys = self._store.keys(folders[-1], after=self._just_before(topic_partition, hint)) or self._store.keys(
            folders[-1]
        )
        if not keys:
            return None
        return self._checked(topic_partition, keys[-1])

    def append(self, segment: Segment) -> Appended:
        """Create the object of a segment. Appending the same segment again is harmless.

        Raises:
            FailedError: the store failed; the object may be there all the same.
        """
        key = str(segment.key)
        if self._store.create(key, segment.body, segment.metadata.to_headers()):
            return Appended.CREATED
        stored = self._store.read(key)
        if stored is None:
            raise FailedError(StoreUnavailable(f"{key} exists and can't be read"))
        try:
            metadata = SegmentMetadata.from_headers(stored.metadata)
        except ValueError:
            return Appended.LOST_RACE
        same = metadata.end == segment.metadata.end and (
            hashlib.sha256(stored.body).hexdigest() == segment.metadata.sha256
        )
        return Appended.ALREADY_THERE if same else Appended.LOST_RACE

    def _just_before(self, topic_partition: TopicPartition, hint: int | None) -> str | None:
        return str(SegmentKey(topic_partition.topic, topic_partition.partition, hint - 1)) if hint else None

    def _checked(self, topic_partition: TopicPartition, key: str) -> SegmentMetadata:
        try:
            parsed = SegmentKey.parse(key)
            metadata = SegmentMetadata.from_headers(self._store.metadata(key) or {})
        except ValueError as error:
            raise FailedError(BrokenTail(key, str(error))) from None
        if (parsed.topic, parsed.partition, parsed.start) != (*topic_partition, metadata.start):
            raise FailedError(BrokenTail(key, f"its metadata says that it starts at {metadata.start}"))
        return metadata
