"""The chains in the object store: find a chain's tail, append a segment to it."""

import hashlib
from enum import Enum

from bank_common.landing import SegmentKey, SegmentMetadata, TopicPartition, chain_prefix
from cdc_consumer.failures import BrokenTail, FailedError, StoreUnavailable
from cdc_consumer.ports import ObjectStore
from cdc_consumer.segment import Segment


class Appended(Enum):
    """What became of a segment."""

    CREATED = "created"
    FOUND = "found"
    """It was there already, byte for byte: the answer to an earlier attempt was lost."""
    LOST_RACE = "lost race"
    """Another owner created a segment of this name with other content: ours must be dropped."""


class ChainStore:
    """Append-only: nothing is overwritten, nothing is deleted."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def tail(self, topic_partition: TopicPartition, hint: int | None = None) -> SegmentMetadata | None:
        """The metadata of the chain's last segment, or None for an empty chain.

        Two requests list the folders, then the last folder. A store reads a folder's keys in pages, so a long folder
        takes many: `hint`, the start of a segment that once was the tail, lets the listing begin there. A hint can be
        old or wrong; it only saves work.

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
        """Create the segment's object. A repeat of the same segment is harmless.

        Raises:
            FailedError: the store failed; the object may be there all the same.
        """
        key = str(segment.key)
        if self._store.create(key, segment.body, segment.metadata.to_headers()):
            return Appended.CREATED
        found = self._store.read(key)
        if found is None:
            raise FailedError(StoreUnavailable(f"{key} exists and can't be read"))
        try:
            metadata = SegmentMetadata.from_headers(found.metadata)
        except ValueError:
            return Appended.LOST_RACE
        same = metadata.end == segment.metadata.end and (
            hashlib.sha256(found.body).hexdigest() == segment.metadata.sha256
        )
        return Appended.FOUND if same else Appended.LOST_RACE

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
