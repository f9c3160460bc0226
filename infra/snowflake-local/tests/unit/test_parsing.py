import pytest
import sqlglot
from snowflake.connector.errors import ProgrammingError

from snowflake_local.sql import parsing


def test_a_tree_is_the_callers_own() -> None:
    kept = parsing.Rewritten()
    kept.keep(("select 1",), sqlglot.parse_one("select 1"))
    first = kept.get(("select 1",))
    assert first is not None
    first.set("expressions", [])
    again = kept.get(("select 1",))
    assert again is not None
    assert again.sql() == "SELECT 1"


def test_the_oldest_go_when_there_is_too_much_text() -> None:
    kept = parsing.Rewritten()
    for number in range(5):
        kept.keep((f"select {number} {'x' * 100_000}",), sqlglot.parse_one(f"select {number}"))
    found = [kept.get((f"select {number} {'x' * 100_000}",)) is not None for number in range(5)]
    assert found == [False, False, False, True, True]


@pytest.mark.parametrize("statement", ["use schema x", "set a = 1", "copy into t from @s"])
def test_what_depends_on_more_than_its_text_is_not_kept(statement: str) -> None:
    kept = parsing.Rewritten()
    kept.keep((statement,), sqlglot.parse_one(statement, read="snowflake"))
    assert kept.get((statement,)) is None


def test_the_parser_after_kind_gets_its_tree_once() -> None:
    assert parsing.kind("select 'once'") == 0x1000
    first, second = parsing.parse_one("select 'once'"), parsing.parse_one("select 'once'")
    assert first is not second
    assert first == second


def test_several_statements_are_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ProgrammingError) as caught:
            parsing.kind("select 1; select 2")
        assert caught.value.errno == 8
