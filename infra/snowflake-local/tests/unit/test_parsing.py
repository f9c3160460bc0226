import pytest
import sqlglot
from snowflake.connector.errors import ProgrammingError

from snowflake_local.sql import parsing


def _kept(kept: parsing.Rewritten, statement: str) -> bool:
    return kept.get((statement,)) is not None


def _come(kept: parsing.Rewritten, statement: str, times: int = 2) -> None:
    for _ in range(times):
        kept.keep((statement,), sqlglot.parse_one(statement, read="snowflake"))


def test_a_tree_is_the_callers_own() -> None:
    kept = parsing.Rewritten()
    _come(kept, "select 1")
    first = kept.get(("select 1",))
    assert first is not None
    first.set("expressions", [])
    again = kept.get(("select 1",))
    assert again is not None
    assert again.sql() == "SELECT 1"


def test_what_came_once_is_not_kept() -> None:
    kept = parsing.Rewritten()
    _come(kept, "select 1", times=1)
    assert not _kept(kept, "select 1")


def test_the_oldest_go_when_there_is_too_much_text() -> None:
    kept = parsing.Rewritten()
    statements = [f"select {number} /* {'x' * 20_000} */" for number in range(20)]
    for statement in statements:
        _come(kept, statement)
    hits = [_kept(kept, statement) for statement in statements]
    assert hits == [False] * 6 + [True] * 14


@pytest.mark.parametrize("statement", ["use schema x", "set a = 1", "copy into t from @s", f"select '{'x' * 40_000}'"])
def test_what_depends_on_more_than_its_text_or_is_long_is_not_kept(statement: str) -> None:
    kept = parsing.Rewritten()
    _come(kept, statement)
    assert not _kept(kept, statement)


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
