"""The loop and undecodable records: a dead letter first, then the segment; too many in a row halt it."""

import pytest
from consumer_testing.loop import VALUE, A, B, Harness

from cdc_consumer.failures import DeadLettersUnavailable, FailedError, TooManyRejected, Undecodable


@pytest.mark.parametrize("poison", [b"poison", VALUE[:-1], VALUE + b"\0", b"\0\0\0\0\x63" + VALUE[5:], b""])
def test_poison_goes_to_the_dead_letters_and_good_rows_land(harness: Harness, poison: bytes) -> None:
    member = harness.member(A)
    harness.produce(A, 2)
    harness.broker.produce(A, poison, b"its key")
    harness.produce(A, 2)
    member.turns(10)
    assert harness.landed(A) == [0, 1, 3, 4]
    harness.assert_contiguous(A)
    [dead_letter] = member.dead_letters.records
    assert (dead_letter.address, dead_letter.key, dead_letter.value) == (("rows", 0, 2), b"its key", poison)
    assert harness.broker.commits[A].offset == 5
    assert sum(int(stored.metadata["bank-rejected"]) for stored in harness.bucket.objects.values()) == 1


def test_poison_alone_lands_as_a_segment_without_rows(harness: Harness) -> None:
    member = harness.member(A)
    harness.broker.produce(A, b"poison")
    member.turns(6)
    [segment] = harness.bucket.objects.values()
    assert (segment.metadata["bank-rows"], segment.metadata["bank-rejected"]) == ("0", "1")
    assert harness.broker.commits[A].offset == 1


def test_a_dead_letter_is_acknowledged_before_its_segment_is_stored(harness: Harness) -> None:
    member = harness.member(A)
    member.dead_letters.down = True
    harness.produce(A, 1)
    harness.broker.produce(A, b"poison")
    with pytest.raises(FailedError) as caught:
        member.turns(10)
    assert isinstance(caught.value.failure, DeadLettersUnavailable)
    member.consumer.leave()
    assert harness.landed(A) == []
    assert harness.broker.commits == {}
    heir = harness.member(A)
    heir.turns(10)
    assert harness.landed(A) == [0]
    assert heir.dead_letters.offsets == [1]


def test_a_dead_letter_is_not_sent_again_while_the_store_fails(harness: Harness) -> None:
    member = harness.member(A)
    harness.broker.produce(A, b"poison")
    harness.produce(A, 1)
    member.turns(2, seconds=0)
    member.store.down = True
    member.turns(20)
    member.store.down = False
    member.turns(20)
    assert harness.landed(A) == [1]
    assert len(member.dead_letters.records) == 1


def test_a_run_of_poison_halts_and_nothing_of_it_is_lost(harness: Harness) -> None:
    member = harness.member(A, B)
    harness.produce(B, 1)
    harness.produce(A, 4)
    member.turns(3, seconds=0)
    for _ in range(4):
        harness.broker.produce(A, b"poison")
    with pytest.raises(FailedError) as caught:
        member.turns(10)
    assert isinstance(caught.value.failure, TooManyRejected)
    assert caught.value.failure.first.offset == 4
    member.consumer.leave()
    assert member.kafka.closed
    assert harness.landed(A) == [0, 1, 2, 3]
    assert harness.landed(B) == [0], "the rows of the other partition are good"
    assert member.dead_letters.records == []
    assert harness.broker.commits[A].offset == 4


def test_a_schema_that_can_not_be_carried_halts_after_what_came_before_it(harness: Harness) -> None:
    member = harness.member(A)
    member.registry.schemas[3] = {"type": "record", "name": "Value", "fields": [{"name": "x", "type": "long"}]}
    harness.produce(A, 2)
    harness.broker.produce(A, b"\0\0\0\0\3" + VALUE[5:])
    harness.produce(A, 1)
    with pytest.raises(FailedError) as caught:
        member.turns(10, seconds=0)
    assert isinstance(caught.value.failure, Undecodable)
    assert (caught.value.failure.topic_partition, caught.value.failure.offset) == (A, 2)
    member.consumer.leave()
    assert harness.landed(A) == [0, 1]
    assert harness.broker.commits[A].offset == 2
