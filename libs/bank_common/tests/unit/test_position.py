import pytest

from bank_common.position import LogPosition, parse_transaction_id


def test_order_is_lsn_then_order_in_the_transaction_then_offset() -> None:
    shuffled = [LogPosition(2, 1, 0), LogPosition(1, 9, 9), LogPosition(1, 9, 8), LogPosition(1, 2, 50)]
    assert sorted(shuffled) == [shuffled[3], shuffled[2], shuffled[1], shuffled[0]]


def test_transaction_id() -> None:
    assert parse_transaction_id("771:26724144") == (771, 26724144)


@pytest.mark.parametrize("text", ["", "771", ":", "a:1", "1:", "-1:2", "1:2:3"])
def test_a_malformed_transaction_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="transaction id"):
        parse_transaction_id(text)
