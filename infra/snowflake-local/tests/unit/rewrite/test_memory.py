import pytest

from snowflake_local.rewrite.memory import Memory
from snowflake_local.rewrite.statement_plan import Rewritten, Rows, StatementPlan

LASTING = Rewritten(0x1000, (StatementPlan("SELECT 1", Rows()),), is_lasting=True)


def _come(memory: Memory, statement: str, plans: Rewritten = LASTING, times: int = 2) -> None:
    for _ in range(times):
        memory.keep(statement, (), plans)


def test_what_came_twice_is_kept_for_its_context() -> None:
    memory = Memory()
    _come(memory, "select 1")
    assert memory.get("select 1", ()) is LASTING
    assert memory.get("select 1", ("other",)) is None


def test_what_came_once_is_not_kept() -> None:
    memory = Memory()
    _come(memory, "select 1", times=1)
    assert memory.get("select 1", ()) is None


def test_the_oldest_go_when_there_is_too_much_text() -> None:
    memory = Memory()
    statements = [f"select {number} /* {'x' * 20_000} */" for number in range(60)]
    for statement in statements:
        _come(memory, statement)
    hits = [memory.get(statement, ()) is not None for statement in statements]
    assert hits == [False] * 11 + [True] * 49


@pytest.mark.parametrize(
    ("statement", "plans"),
    [("use schema x", Rewritten(0x4300, LASTING.plans)), (f"select '{'x' * 40_000}'", LASTING)],
)
def test_what_is_of_its_moment_or_long_is_not_kept(statement: str, plans: Rewritten) -> None:
    memory = Memory()
    _come(memory, statement, plans)
    assert memory.get(statement, ()) is None
