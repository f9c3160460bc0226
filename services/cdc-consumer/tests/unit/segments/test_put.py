"""The table of what the outcome of a PUT means, row by row."""

import hashlib
from dataclasses import replace
from typing import get_args

import pytest

from bank_common.envelope.events import DecodeError, DecodeErrorReason
from bank_common.landing.segments import SegmentKey, SegmentMetadata, TopicPartition
from cdc_consumer import failures as f
from cdc_consumer.model.dead_letter_limit import LimitExceeded
from cdc_consumer.model.resume import PartitionState, Refusal, Refused
from cdc_consumer.ports import StoredObject
from cdc_consumer.segments.put import Decision, PutAnswer, compare, decide
from cdc_consumer.segments.segment import Segment

AT = TopicPartition("t", 3)
BODY = b"body"
METADATA = SegmentMetadata("id", 0, 5, rows=1, rejected=0, schema_id=1, sha256=hashlib.sha256(BODY).hexdigest())
OURS = Segment(SegmentKey("t", 3, 0), BODY, METADATA)
UNDECODABLE = f.Undecodable(AT, 4, DecodeError(DecodeErrorReason.UNSUPPORTED_SCHEMA, "x"))

DECISIONS: dict[PutAnswer | f.Failure, Decision] = {
    PutAnswer.CREATED: Decision.STORED,
    PutAnswer.HOLDS_SAME: Decision.STORED,
    PutAnswer.HOLDS_OTHER: Decision.LOST_RACE,
    PutAnswer.HOLDS_FOREIGN: Decision.LOST_RACE,
    f.StoreUnavailable("no answer"): Decision.KEEP,
    f.StoreDenied("403"): Decision.KEEP,
    f.BucketMissing("b"): Decision.KEEP,
    UNDECODABLE: Decision.NOT_STORED,
    f.TooManyRejected(UNDECODABLE, LimitExceeded(4, None)): Decision.NOT_STORED,
    f.DeadLettersUnavailable("down"): Decision.NOT_STORED,
    Refused(AT, Refusal.CHAIN_LOST, PartitionState(None, 1, 0, 5, "id")): Decision.NOT_STORED,
    f.BrokenTail("t/x", "no key"): Decision.NOT_STORED,
    f.RegistryUnavailable("down"): Decision.NOT_STORED,
    f.KafkaUnavailable("down"): Decision.NOT_STORED,
    f.TopicMissing("t"): Decision.NOT_STORED,
    f.KafkaFatal("fenced"): Decision.NOT_STORED,
}


@pytest.mark.parametrize("outcome", DECISIONS, ids=lambda outcome: getattr(outcome, "name", type(outcome).__name__))
def test_each_outcome_has_its_decision(outcome: PutAnswer | f.Failure) -> None:
    assert decide(outcome) is DECISIONS[outcome]


def test_the_table_above_has_every_answer_and_every_failure() -> None:
    assert {outcome for outcome in DECISIONS if isinstance(outcome, PutAnswer)} == set(PutAnswer)
    failures = {type(outcome) for outcome in DECISIONS if not isinstance(outcome, PutAnswer)}
    assert failures == set(get_args(f.Failure))


@pytest.mark.parametrize(
    ("body", "metadata", "answer"),
    [
        (BODY, METADATA.to_headers(), PutAnswer.HOLDS_SAME),
        (BODY, replace(METADATA, traceparent="00-aa-bb-01").to_headers(), PutAnswer.HOLDS_SAME),
        (b"other", METADATA.to_headers(), PutAnswer.HOLDS_OTHER),
        (BODY, replace(METADATA, end=6).to_headers(), PutAnswer.HOLDS_OTHER),
        (BODY, {}, PutAnswer.HOLDS_FOREIGN),
        (BODY, {**METADATA.to_headers(), "bank-end": "five"}, PutAnswer.HOLDS_FOREIGN),
    ],
)
def test_what_the_store_holds_is_told_by_its_bytes_and_its_range(
    body: bytes, metadata: dict[str, str], answer: PutAnswer
) -> None:
    assert compare(OURS, StoredObject(body, metadata)) is answer
