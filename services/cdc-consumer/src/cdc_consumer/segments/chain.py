"""The chains in the object store: find the tail of a chain, append a segment. Nothing is overwritten or deleted."""

from bank_common.landing.segments import SegmentKey, SegmentMetadata, TopicPartition, chain_prefix
from cdc_consumer.failures import BrokenTail, FailedError, StoreUnavailable
from cdc_consumer.ports import ObjectStore
from cdc_consumer.segments.put import PutAnswer, compare
from cdc_consumer.segments.segment import Segment


def find_tail(store: ObjectStore, topic_partition: TopicPartition, hint: int | None = None) -> SegmentMetadata | None:
    """Return the metadata of the last segment of a chain, or None for an empty chain.

    One request lists the folders, further ones the last folder, page by page. With `hint`, the start of a segment that
    once was the tail, the listing begins there. A hint may be old or wrong; it only saves requests.

    Raises:
        FailedError: the store failed, or the last object is no segment of this chain.
    """
    folders = store.folders(chain_prefix(*topic_partition))
    if not folders:
        return None
    just_before = str(SegmentKey(topic_partition.topic, topic_partition.partition, hint - 1)) if hint else None
    keys = store.keys(folders[-1], after=just_before) or store.keys(folders[-1])
    if not keys:
        return None
    try:
        parsed = SegmentKey.parse(keys[-1])
        metadata = SegmentMetadata.from_headers(store.metadata(keys[-1]) or {})
    except ValueError as error:
        raise FailedError(BrokenTail(keys[-1], str(error))) from None
    if (parsed.topic, parsed.partition, parsed.start) != (*topic_partition, metadata.start):
        raise FailedError(BrokenTail(keys[-1], f"its metadata says that it starts at {metadata.start}"))
    return metadata


def append(store: ObjectStore, segment: Segment) -> PutAnswer:
    """Create the object of a segment, or tell what stands in its place. The same segment may be appended again.

    Raises:
        FailedError: the store failed; the object may be there all the same.
    """
    key = str(segment.key)
    if store.create(key, segment.body, segment.metadata.to_headers()):
        return PutAnswer.CREATED
    stored = store.read(key)
    if stored is None:
        raise FailedError(StoreUnavailable(f"{key} exists and can't be read"))
    return compare(segment, stored)
