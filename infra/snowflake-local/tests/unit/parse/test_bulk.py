import random
import time
from collections.abc import Sequence

import pytest
import sqlglot
from sqlglot import exp

from snowflake_local.parse import bulk

_ITEMS = ("NULL", "true", "7", "-12.50", "'a''b'", "'(1), (2)'", "''", r"'it\'s'", r"'a\nb\\'", "CURRENT_TIMESTAMP()")
_LONG = 60


def _rows(items: Sequence[str], width: int = 3, repeat: int = _LONG) -> str:
    rows = [", ".join(items[(row + column) % len(items)] for column in range(width)) for row in range(repeat)]
    return ", ".join(f"({row})" for row in rows)


def _duckdb(statement: str) -> str:
    return sqlglot.parse_one(statement, read="snowflake").sql("duckdb")


@pytest.mark.parametrize("seed", range(20))
def test_an_insert_says_the_same_as_without_the_cut(seed: int) -> None:
    items = random.Random(seed).sample(_ITEMS, 5)
    statement = f'insert into RAW."T" (a, "B", c)\nvalues {_rows(items)};'
    shorter = bulk.cut(statement)
    assert shorter is not None
    assert len(shorter.statement) < len(statement) / 4
    tree = sqlglot.parse_one(shorter.statement, read="snowflake")
    items = [item.sql("duckdb") for item in tree.expression.expressions[0].expressions]
    tree.expression.set("expressions", [exp.var(bulk.ROWS)])
    restored = shorter.restore(tree.sql("duckdb"), items)
    assert sqlglot.parse_one(restored, read="duckdb").sql("duckdb") == _duckdb(statement)


_NOT_PLAIN = ("1e5", "1 + 1", "x'ff'", "'a'::number", "?", "parse_json('1')", "(select 1)", "a", "$1")


@pytest.mark.parametrize("item", _NOT_PLAIN)
def test_what_is_no_plain_value_is_left_to_the_parser(item: str) -> None:
    rows = _rows(["1", item, "'x'"])
    assert bulk.cut(f"insert into t values {rows}") is None


@pytest.mark.parametrize(
    "statement",
    [
        "insert into t values (1)",
        f"insert into t select * from values {_rows(['1'])}",
        f"insert into t values {_rows(['1'])} union all select 1",
        f"insert into t values {_rows(['1'])}; select 1",
        f"insert overwrite into t values {_rows(['1'])}",
        "select 1 where 1 in (" + ", ".join(map(str, range(500))) + ")",
        "copy into t from @st pattern = '" + "x" * 500 + "'",
    ],
)
def test_other_statements_are_left_alone(statement: str) -> None:
    assert bulk.cut(statement) is None


@pytest.mark.parametrize("end", [", (1, 'x", ", (1, 2", ",", ", (1, 2 +)"])
def test_a_long_list_that_does_not_fit_is_given_up_in_linear_time(end: str) -> None:
    began = time.process_time()
    assert bulk.cut(f"insert into t values {_rows(_ITEMS, repeat=20_000)}{end}") is None
    assert time.process_time() - began < 20  # quadratic would take hours
