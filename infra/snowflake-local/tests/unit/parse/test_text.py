import pytest
from snowflake.connector.errors import ProgrammingError

from snowflake_local.parse.text import unquoted, with_variables, without_comments


def test_comments_around_a_statement_are_taken_off_and_those_inside_stay() -> None:
    text = "/* a */ -- b\n select /* hint */ 1 /* {} */;"
    assert without_comments(text) == "select /* hint */ 1"


def test_variables_stand_for_their_values_outside_of_texts_and_names() -> None:
    text = """select $a, '$a', "$a", SYSTEM$WAIT(1), t.$1, $$x$$, $A || $b"""
    assert with_variables(text, {"A": "'x'", "B": "7"}) == (
        """select 'x', '$a', "$a", SYSTEM$WAIT(1), t.$1, $$x$$, 'x' || 7"""
    )


def test_a_variable_that_was_not_set_is_named() -> None:
    with pytest.raises(ProgrammingError, match=r"\$NOBODY"):
        with_variables("select $nobody", {})


@pytest.mark.parametrize(
    ("text", "value"), [("word", "word"), ("'it''s'", "it's"), (r"'it\'s a \\'", r"it's a \ ".strip()), ("''", "")]
)
def test_texts_in_quotes(text: str, value: str) -> None:
    assert unquoted(text) == value
