import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdc_consumer.dead_letter import Address, DeadLetter, open_letters

names = st.text(min_size=1, max_size=8)
letters = st.builds(
    DeadLetter,
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
@given(letters)
def test_a_letter_holds_the_original_byte_for_byte(letter: DeadLetter) -> None:
    read = DeadLetter.from_record(letter.address.encode(), letter.value, letter.to_headers())
    assert read == letter


@pytest.mark.parametrize("key", [None, b"", b"topic/0", b"topic/0/x", b"/0/1", b"topic/-1/1", b"a/b/0/1"])
def test_what_is_no_address_is_no_letter(key: bytes | None) -> None:
    with pytest.raises(ValueError, match="dead letter"):
        DeadLetter.from_record(key, b"", [("dead-letter.reason", b"x")])


def test_a_record_without_our_headers_is_no_letter() -> None:
    with pytest.raises(ValueError, match="header"):
        DeadLetter.from_record(b"topic/0/1", b"", [("other", b"x")])


def letter(offset: int, value: bytes = b"") -> DeadLetter:
    return DeadLetter(Address("t", 0, offset), None, value, [], "reason", "detail")


def record(found: DeadLetter):
    return found.address.encode(), found.value, found.to_headers()


def test_open_letters_are_those_without_a_note_of_their_replay() -> None:
    replayed = (letter(2).address.encode(), None, None)
    records = [record(letter(10)), record(letter(2)), (b"junk", b"junk", None), record(letter(10, b"again")), replayed]
    assert open_letters(records) == [letter(10, b"again")]
    assert open_letters([*records, record(letter(2))]) == [letter(2), letter(10, b"again")]
