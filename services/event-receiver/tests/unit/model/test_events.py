import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receiver_testing.notifications import ODD_KEY, SEGMENT, about

from bank_common.landing.segments import SegmentKey
from bank_common.names import BUCKET, RAW_TABLE_BY_TOPIC
from event_receiver.model.events import Hint, Malformed, Notification, Poison, parse

KEY = SegmentKey("bank.public.accounts", 2, 1_000_000)


def read(body: bytes) -> Notification | Malformed:
    return parse(body, bucket=BUCKET, topics=RAW_TABLE_BY_TOPIC)


def test_the_store_s_own_notification_gives_the_key_and_the_trace() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert read(SEGMENT) == Notification((Hint(KEY, trace),))
    assert read(ODD_KEY) == Notification((Poison.KEY,))


@pytest.mark.parametrize(
    ("body", "poison"),
    [
        (about(KEY, bucket="another"), Poison.BUCKET),
        (about(KEY, event="s3:ObjectRemoved:Delete"), Poison.EVENT),
        (about(SegmentKey("bank.public.secrets", 0, 1)), Poison.TOPIC),
        (about(f"../{KEY}"), Poison.KEY),
        (about(f"{KEY}\n"), Poison.KEY),
        (about(str(KEY).replace("/", "%2F")), Poison.KEY),
        (about(str(KEY).replace("00000001000000.", "00000000000001.")), Poison.KEY),
        (about(""), Poison.KEY),
        (SEGMENT.replace(b"accounts%2F", b"accounts%FF"), Poison.KEY),
    ],
)
def test_what_is_not_a_segment_of_ours_is_poison(body: bytes, poison: Poison) -> None:
    assert read(body) == Notification((poison,))


def test_a_key_is_unquoted_once() -> None:
    assert read(about(str(KEY))) != Notification((Poison.KEY,))
    assert read(about(str(KEY).replace("/", "%2F"))) == Notification((Poison.KEY,))


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{}", b"[]", b"null", b'{"Records": {}}', b'{"Records": [1]}', b"[" * 100_000, b"1" * 9999]
)
def test_what_is_not_a_notification_is_malformed(body: bytes) -> None:
    assert isinstance(read(body), Malformed)


def test_a_traceparent_that_is_none_is_dropped() -> None:
    for bad in ('00-xyz"', "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\\n", ""):
        body = SEGMENT.replace(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", bad.encode())
        notification = read(body)
        assert isinstance(notification, Malformed) or notification.records == (Hint(KEY, None),)


def test_metadata_says_when_the_oldest_change_was_committed() -> None:
    name = b'"X-Amz-Meta-Bank-Sha256"'
    for value, committed in (
        (b'"1770000000123456"', 1_770_000_000.123456),
        (b'"-1"', None),
        (b'"soon"', None),
        (b"1", None),
    ):
        notification = read(SEGMENT.replace(name, b'"X-Amz-Meta-Bank-Source-Us-Min":' + value + b"," + name))
        assert isinstance(notification, Notification)
        (hint,) = notification.records
        assert isinstance(hint, Hint)
        assert hint.committed == committed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_an_answer(body: bytes) -> None:
    assert isinstance(read(body), Notification | Malformed)


@given(st.data())
def test_any_damage_to_a_real_notification_gives_an_answer(data: st.DataObject) -> None:
    document: dict[str, Any] = json.loads(SEGMENT)
    node: Any = document
    # Walk down some way, then put anything there.
    while isinstance(node, dict | list) and node:
        steps = list(node) if isinstance(node, dict) else list(range(len(node)))
        step = data.draw(st.sampled_from(steps))
        if not isinstance(node[step], dict | list) or data.draw(st.booleans()):
            node[step] = data.draw(JSON)
            break
        node = node[step]
    assert isinstance(read(json.dumps(document).encode()), Notification | Malformed)


@given(st.text())
def test_no_key_but_a_segment_s_is_taken(key: str) -> None:
    notification = read(about(key.encode("utf-8", "ignore").decode()))
    assert notification in (Notification((Poison.KEY,)), Notification((Poison.TOPIC,)))


@given(st.sampled_from(sorted(RAW_TABLE_BY_TOPIC)), st.integers(0, 9999), st.integers(0, 2**40))
def test_every_segment_of_a_landed_topic_is_taken(topic: str, partition: int, start: int) -> None:
    key = SegmentKey(topic, partition, start)
    notification = read(about(key))
    assert isinstance(notification, Notification)
    (hint,) = notification.records
    assert isinstance(hint, Hint)
    assert hint.key == key
