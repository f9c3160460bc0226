import pytest

from bank_common.landing.segments import SegmentMetadata, TopicPartition
from cdc_consumer.model.resume import Landed, PartitionState, Refusal, Refused, Resume, decide

TOPIC_PARTITION = TopicPartition("t", 0)
TAIL = SegmentMetadata(topic_id="id", start=50, end=100, rows=1, rejected=0, schema_id=1, sha256="a" * 64)
EMPTY = PartitionState(tail=None, committed=None, log_start=0, high_watermark=200, topic_id="id")
PAST = Landed(50, 100)
NORMAL = PartitionState(tail=TAIL, committed=100, log_start=0, high_watermark=200, topic_id="id")


@pytest.mark.parametrize(
    ("state", "offset"),
    [
        (EMPTY, 0),
        (EMPTY._replace(log_start=30), 30),
        (NORMAL, 100),
        (NORMAL._replace(committed=None), 100),
        (NORMAL._replace(committed=50), 100),
        (NORMAL._replace(log_start=100), 100),
        (NORMAL._replace(high_watermark=100), 100),
    ],
)
def test_the_chain_says_where_to_go_on(state: PartitionState, offset: int) -> None:
    assert decide(TOPIC_PARTITION, state) == Resume(offset, offset)


@pytest.mark.parametrize(
    ("state", "position"),
    [
        (NORMAL._replace(committed=130, landed=PAST), 130),
        (NORMAL._replace(committed=130, landed=PAST, log_start=130, high_watermark=130), 130),
        (NORMAL._replace(committed=90, landed=PAST), 100),
        # A log that was cut off below the commit may hold other records there.
        (NORMAL._replace(committed=130, landed=PAST, high_watermark=120), 100),
        # Committed before the tail's last segments: it says nothing of what follows them.
        (NORMAL._replace(committed=95, landed=Landed(50, 90)), 100),
    ],
)
def test_what_lies_behind_the_tail_and_is_no_record_is_passed(state: PartitionState, position: int) -> None:
    assert decide(TOPIC_PARTITION, state) == Resume(100, position)


@pytest.mark.parametrize("landed", [None, Landed(50, 99), Landed(100, 130)])
def test_an_offset_past_another_tail_passes_nothing(landed: Landed | None) -> None:
    decision = decide(TOPIC_PARTITION, NORMAL._replace(committed=130, landed=landed))
    assert isinstance(decision, Refused)
    assert decision.refusal is Refusal.CHAIN_BEHIND_COMMIT


@pytest.mark.parametrize("text", [None, "", "50", "50:", ":100", "a:b", "50:100:7"])
def test_metadata_of_another_form_names_no_tail(text: str | None) -> None:
    assert Landed.parse(text) is None
    assert Landed.parse(PAST.encode()) == PAST


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (EMPTY._replace(committed=0), Refusal.CHAIN_LOST),
        (EMPTY._replace(committed=100), Refusal.CHAIN_LOST),
        (NORMAL._replace(committed=101), Refusal.CHAIN_BEHIND_COMMIT),
        (NORMAL._replace(log_start=101), Refusal.LOG_STARTS_AFTER_TAIL),
        (NORMAL._replace(log_start=131, committed=130, landed=PAST), Refusal.LOG_STARTS_AFTER_TAIL),
        (NORMAL._replace(high_watermark=99), Refusal.TAIL_BEYOND_LOG),
        (NORMAL._replace(topic_id="other"), Refusal.TOPIC_RECREATED),
        (NORMAL._replace(topic_id="other", high_watermark=0, committed=None), Refusal.TOPIC_RECREATED),
    ],
)
def test_what_would_lose_or_double_is_refused(state: PartitionState, refusal: Refusal) -> None:
    decision = decide(TOPIC_PARTITION, state)
    assert isinstance(decision, Refused)
    assert decision.refusal is refusal
