import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdc_consumer.model.dead_letter import Address, DeadLetterRecord, open_dead_letters

names = st.text(min_size=1, max_size=8)
dead_letters = st.builds(
    DeadLetterRecord,
    address=st.builds(
        Address,
        topic=st.from_regex(r"[a-z][a-z.]{0,9}", fullmatch=True),
        partition=st.integers(0, 9),
        offset=st.integers(0, 2**63 - 1),
    ),
    key=st.none() | st.binary(max_size=8),
    value=st.binary(max_size=20),
    headers=st.lists(st.tuples(names, st.none() | st.binary(max_size=8)), max_size=4),
    reason=names,
    detail=names,
)


@settings(deadline=None)
@given(dead_letters)
def test_a_dead_letter_holds_the_original_byte_for_byte(dead_letter: DeadLetterRecord) -> None:
    read = DeadLetterRecord.from_record(dead_letter.address.encode(), dead_letter.value, dead_letter.to_headers())
    assert read == dead_letter


@pytest.mark.parametrize("key", [None, b"", b"topic/0", b"topic/0/x", b"/0/1", b"topic/-1/1", b"a/b/0/1"])
def test_a_key_that_is_no_address_is_refused(key: bytes | None) -> None:
    with pytest.raises(ValueError, match="dead letter"):
        DeadLetterRecord.from_record(key, b"", [("dead-letter.reason", b"x")])


def test_a_record_without_our_headers_is_refused() -> None:
    with pytest.raises(ValueError, match="header"):
        DeadLetterRecord.from_record(b"topic/0/1", b"", [("other", b"x")])


def dead_letter(offset: int, value: bytes = b"") -> DeadLetterRecord:
    return DeadLetterRecord(Address("t", 0, offset), None, value, [], "reason", "detail")


def record(dead_letter: DeadLetterRecord):
    return dead_letter.address.encode(), dead_letter.value, dead_letter.to_headers()


def test_open_dead_letters_are_those_without_a_tombstone() -> None:
    replayed = (dead_letter(2).address.encode(), None, None)
    records = [
        record(dead_letter(10)),
        record(dead_letter(2)),
        (b"junk", b"junk", None),
        record(dead_letter(10, b"again")),
        replayed,
    ]
    assert open_dead_letters(records) == [dead_letter(10, b"again")]
    assert open_dead_letters([*records, record(dead_letter(2))]) == [dead_letter(2), dead_letter(10, b"again")]
