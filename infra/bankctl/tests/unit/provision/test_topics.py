"""What an existing topic is compared by."""

from bank_common import names
from bankctl.model.connector_config import MAX_REQUEST_BYTES
from bankctl.provision.topics import ExistingTopic, Topic, differences, required, too_small

TOPIC = Topic("bank.public.customers", 3, {"retention.ms": "1000"})


def test_a_missing_topic_and_an_equal_one_are_no_difference() -> None:
    equal = ExistingTopic(3, {"retention.ms": "1000", "segment.bytes": "7"})
    assert differences([TOPIC], {}) == ()
    assert differences([TOPIC], {TOPIC.name: equal}) == ()


def test_partitions_and_each_setting_are_named() -> None:
    sentences = differences([TOPIC], {TOPIC.name: ExistingTopic(1, {"retention.ms": "5"})})
    assert sentences == (
        "bank.public.customers has 1 partitions instead of 3",
        "bank.public.customers has retention.ms=5 instead of 1000",
    )


def test_every_named_topic_is_made_and_dead_letters_are_kept_for_ever() -> None:
    topics = {topic.name: topic for topic in required()}
    assert set(names.RAW_TABLE_BY_TOPIC) < set(topics)
    assert topics[names.TRANSACTION_TOPIC].partitions == 1
    assert topics[names.DEAD_LETTERS_TOPIC].settings["retention.ms"] == "-1"
    assert len(topics) == len(required())


def test_a_table_s_topic_takes_whatever_the_connector_sends_and_dead_letters_more() -> None:
    topics = {topic.name: topic for topic in required()}
    tables = [topics[table.topic].record_bytes for table in names.TABLES]
    assert min(tables) > MAX_REQUEST_BYTES
    assert topics[names.DEAD_LETTERS_TOPIC].record_bytes > max(tables)


def test_a_topic_that_takes_smaller_records_is_no_difference_but_too_small() -> None:
    topic = Topic("t", settings={}, record_bytes=100)
    for limit, small in (("99", (topic,)), ("100", ()), ("101", ())):
        existing = {"t": ExistingTopic(1, {"max.message.bytes": limit})}
        assert differences([topic], existing) == ()
        assert too_small([topic], existing) == small
    assert too_small([topic], {}) == ()
