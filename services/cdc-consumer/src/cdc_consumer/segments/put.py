"""What the outcome of a PUT means, as a table of decisions. Pure.

A segment is put create-only, under a key that its start decides. The store may create the object, may hold one of that
key, may refuse, or may fail so that nobody knows; and there are batches that are never put. Each of these is one row.
"""

import hashlib
from enum import Enum
from typing import assert_never

from bank_common.landing.segments import SegmentMetadata
from cdc_consumer.failures import (
    BrokenTail,
    BucketMissing,
    DeadLettersUnavailable,
    Failure,
    KafkaFatal,
    KafkaUnavailable,
    RegistryUnavailable,
    StoreDenied,
    StoreUnavailable,
    TooManyRejected,
    TopicMissing,
    Undecodable,
)
from cdc_consumer.model.resume import Refused
from cdc_consumer.ports import StoredObject
from cdc_consumer.segments.segment import Segment


class PutAnswer(Enum):
    """The store's answer to the PUT of a segment: it created the object, or it holds one of that key."""

    CREATED = "created"
    HOLDS_SAME = "holds the same segment"
    HOLDS_OTHER = "holds another segment"
    HOLDS_FOREIGN = "holds an object that is no segment"


class Decision(Enum):
    """What becomes of the batch whose segment was put, and of the buffer that it is the head of."""

    STORED = "it is in the chain: take it out of the buffer, commit its end"
    KEEP = "it may be in the chain or not: keep it, and put the same bytes under the same key once more, later"
    LOST_RACE = "its place in the chain is taken: drop the buffer, and resume at the end of the chain"
    NOT_STORED = "it must not be stored: drop the buffer; its records are read again after the halt"


def compare(segment: Segment, stored: StoredObject) -> PutAnswer:
    """Tell what the store holds in the place of a segment."""
    try:
        metadata = SegmentMetadata.from_headers(stored.metadata)
    except ValueError:
        return PutAnswer.HOLDS_FOREIGN
    same_bytes = hashlib.sha256(stored.body).hexdigest() == segment.metadata.sha256
    same = same_bytes and metadata.end == segment.metadata.end
    return PutAnswer.HOLDS_SAME if same else PutAnswer.HOLDS_OTHER


def decide(outcome: PutAnswer | Failure) -> Decision:
    """Decide what becomes of a batch. Nothing but the segment's own bytes in its place lets its offsets be committed.

    A failure comes with the policy of its own, see `cdc_consumer.failures`: whether to wait or to halt.
    """
    match outcome:
        case PutAnswer.CREATED:
            return Decision.STORED
        case PutAnswer.HOLDS_SAME:
            # The answer to an earlier attempt was lost.
            return Decision.STORED
        case PutAnswer.HOLDS_OTHER:
            # Another member's: its range may be shorter or longer than ours.
            return Decision.LOST_RACE
        case PutAnswer.HOLDS_FOREIGN:
            # Nothing is put beside it or over it: it becomes the tail, and who looks for the tail halts and names it.
            return Decision.LOST_RACE
        case StoreUnavailable():
            # The request, its effect or its answer was lost; or the object is there and can't be read.
            return Decision.KEEP
        case StoreDenied() | BucketMissing():
            # Nothing was created by this attempt, but perhaps by one before it.
            return Decision.KEEP
        case Undecodable() | TooManyRejected() | DeadLettersUnavailable():
            # Found before the PUT.
            return Decision.NOT_STORED
        case Refused() | BrokenTail() | RegistryUnavailable() | KafkaUnavailable() | TopicMissing() | KafkaFatal():
            # No PUT fails so. If one did, nothing would say that the segment is in the chain.
            return Decision.NOT_STORED
        case _:
            assert_never(outcome)
