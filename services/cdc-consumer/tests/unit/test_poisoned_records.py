"""The loop and records that are no events: a dead letter first, then the segment; a run of them halts."""

import pytest
from consumer_testing.loop import VALUE, A, B, World

from cdc_consumer.failures import DeadLettersUnavailable, FailedError, TooManyRejected, Undecodable


@pytest.mark.parametrize("poison", [b"poison", VALUE[:-1], VALUE + b"\0", b"\0\0\0\0\x63" + VALUE[5:], b""])
def test_poison_goes_to_the_dead_letters_and_good_rows_land(world: World, poison: bytes) -> None:
    member = world.member(A)
    world.produce(A, 2)
    world.broker.produce(A, poison, b"its key")
    world.produce(A, 2)
    member.turns(10)
    assert world.landed(A) == [0, 1, 3, 4]
    world.assert_contiguous(A)
    [dead_letter] = member.dead_letters.records
    assert (dead_letter.address, dead_letter.key, dead_letter.value) == (("rows", 0, 2), b"its key", poison)
    assert world.broker.commits[A].offset == 5
    assert sum(int(stored.metadata["bank-rejected"]) for stored in world.bucket.objects.values()) == 1


def test_poison_alone_lands_as_a_segment_without_rows(world: World) -> None:
    member = world.member(A)
    world.broker.produce(A, b"poison")
    member.turns(6)
    [segment] = world.bucket.objects.values()
    assert (segment.metadata["bank-rows"], segment.metadata["bank-rejected"]) == ("0", "1")
    assert world.broker.commits[A].offset == 1


def test_a_dead_letter_is_acknowledged_before_its_segment_is_stored(world: World) -> None:
    member = world.member(A)
    member.dead_letters.down = True
    world.produce(A, 1)
    world.broker.produce(A, b"poison")
    with pytest.raises(FailedError) as caught:
        member.turns(10)
    assert isinstance(caught.value.failure, DeadLettersUnavailable)
    member.consumer.leave()
    assert world.landed(A) == []
    assert world.broker.commits == {}
    heir = world.member(A)
    heir.turns(10)
    assert world.landed(A) == [0]
    assert heir.dead_letters.offsets == [1]


def test_a_dead_letter_is_not_sent_again_while_the_store_fails(world: World) -> None:
    member = world.member(A)
    world.broker.produce(A, b"poison")
    world.produce(A, 1)
    member.turns(2, seconds=0)
    member.store.down = True
    member.turns(20)
    member.store.down = False
    member.turns(20)
    assert world.landed(A) == [1]
    assert len(member.dead_letters.records) == 1


def test_a_run_of_poison_halts_and_nothing_of_it_is_lost(world: World) -> None:
    member = world.member(A, B)
    world.produce(B, 1)
    world.produce(A, 4)
    member.turns(3, seconds=0)
    for _ in range(4):
        world.broker.produce(A, b"poison")
    with pytest.raises(FailedError) as caught:
        member.turns(10)
    assert isinstance(caught.value.failure, TooManyRejected)
    assert caught.value.failure.first.offset == 4
    member.consumer.leave()
    assert member.kafka.closed
    assert world.landed(A) == [0, 1, 2, 3]
    assert world.landed(B) == [0], "the other chain's rows are good"
    assert member.dead_letters.records == []
    assert world.broker.commits[A].offset == 4


def test_a_schema_that_can_not_be_carried_halts_after_what_came_before_it(world: World) -> None:
    member = world.member(A)
    member.registry.schemas[3] = {"type": "record", "name": "Value", "fields": [{"name": "x", "type": "long"}]}
    world.produce(A, 2)
    world.broker.produce(A, b"\0\0\0\0\3" + VALUE[5:])
    world.produce(A, 1)
    with pytest.raises(FailedError) as caught:
        member.turns(10, seconds=0)
    assert isinstance(caught.value.failure, Undecodable)
    assert (caught.value.failure.topic_partition, caught.value.failure.offset) == (A, 2)
    member.consumer.leave()
    assert world.landed(A) == [0, 1]
    assert world.broker.commits[A].offset == 2
