"""The syntax tree of a statement, by Snowflake's grammar."""

from fakesnow import dialect
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp
from sqlglot.errors import SqlglotError

from snowflake_local import errors


def parse(text: str) -> exp.Expr:
    """The tree of one statement; the caller may change it.

    Raises:
        snowflake.connector.errors.ProgrammingError: a syntax error, or several statements: DuckDB would run them all.
    """
    tree = dialect.parse_one(text)
    if isinstance(tree, exp.Block):
        raise errors.statement_count(len(tree.expressions))
    return tree


def refuse_several(text: str) -> None:
    """Refuse a text of several statements, for those that are known without their tree.

    Raises:
        snowflake.connector.errors.ProgrammingError: there are several.
    """
    if ";" not in text.rstrip("; \t\r\n"):
        return
    try:
        tree = dialect.parse_one(text)
    except (ProgrammingError, SqlglotError):
        return  # a statement of ours, with a grammar of its own
    if isinstance(tree, exp.Block):
        raise errors.statement_count(len(tree.expressions))
