from dataclasses import replace

from bank_common.envelope.topic_kind import TopicKind
from bank_common.landing.segments import TopicPartition
from cdc_consumer.consume.assignment import AssignedPartition
from cdc_consumer.model.flush_limits import FlushLimits
from cdc_consumer.model.partition_buffer import PartitionBuffer, ValueSchema
from cdc_consumer.model.records import Records
from cdc_consumer.model.resume import Landed

LIMITS = FlushLimits(max_rows=5, max_bytes=10**9, max_total_bytes=10**9, flush_seconds=1, idle_flush_seconds=300)


def past() -> AssignedPartition:
    """A partition whose chain ends at 5 and whose log ends at 9, behind markers alone."""
    topic_partition = TopicPartition("t", 0)
    buffer = PartitionBuffer(topic_partition, 5, LIMITS)
    return AssignedPartition(topic_partition, buffer, caught_up=True, log_end=9, landed=Landed(0, 5), committed=5)


def test_a_log_that_goes_on_without_records_is_past_the_tail_until_that_is_committed() -> None:
    assert past().past_the_tail
    assert not replace(past(), committed=9).past_the_tail


def test_a_record_that_is_not_in_the_chain_keeps_the_position_at_the_tail() -> None:
    assigned = past()
    assert assigned.buffer is not None
    assigned.buffer.add(
        Records([6], [None], [b"x"], [None]), ValueSchema(TopicKind.TRANSACTIONS, 1, ()), urgent=True, now=0
    )
    assert not assigned.past_the_tail


def test_an_end_that_was_reached_before_a_race_was_lost_is_none_of_the_new_position() -> None:
    # Records up to 9 were read then, and thrown away: they lie between the other member's tail and that end.
    assert not replace(past(), caught_up=False).past_the_tail
    assert not replace(past(), rewind=True).past_the_tail
    assert not replace(past(), landed=None).past_the_tail
