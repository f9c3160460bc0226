import time

import pytest
from snowflake.connector.errors import ProgrammingError

from snowflake_local.parse import options


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" A = 1 b=two, C = 'th''ree'", {"A": "1", "B": "two", "C": "th'ree"}),
        ("FILES = ('a b', 'c(1), d=2') FORCE=true", {"FILES": ("a b", "c(1), d=2"), "FORCE": "true"}),
        (
            "f = (type = parquet, null_if = ('', 'x') inner = (a = 1)) g = -1",
            {"F": {"TYPE": "parquet", "NULL_IF": ("", "x"), "INNER": {"A": "1"}}, "G": "-1"},
        ),
        ("e = ()", {"E": {}}),
    ],
)
def test_options_are_read(text: str, expected: options.Options) -> None:
    assert options.read(text) == expected


@pytest.mark.parametrize("text", ["a", "a =", "a = 1 b", "a = 'x", "a = ('x'", "a = (b = 1", "a = 1; select 1", "= 1"])
def test_what_is_no_option_is_a_syntax_error(text: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        options.read(text)
    assert caught.value.errno == 1003


def test_an_option_may_not_be_given_twice() -> None:
    with pytest.raises(ProgrammingError, match="FORCE"):
        options.read("FORCE = TRUE force = false")


def test_a_thousand_names_are_read_in_linear_time() -> None:
    names = ", ".join(f"'a b/{number}, (x).parquet'" for number in range(100_000))
    began = time.process_time()
    assert len(options.read(f"FILES = ({names}) FORCE = TRUE")["FILES"]) == 100_000
    with pytest.raises(ProgrammingError):
        options.read(f"FILES = ({names}, 1) FORCE = TRUE")
    assert time.process_time() - began < 20  # quadratic would take hours
