import pytest

from bank_common.envelope.transaction_id import parse_transaction_id


def test_a_transaction_id_is_two_numbers() -> None:
    assert parse_transaction_id("771:26724144") == (771, 26724144)


@pytest.mark.parametrize("text", ["", "771", ":", "a:1", "1:", "-1:2", "1:2:3"])
def test_a_malformed_transaction_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="transaction id"):
        parse_transaction_id(text)
