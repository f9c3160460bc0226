"""A statement's text as it comes: comments off, session variables in."""

import re
from collections.abc import Mapping
from typing import Final

from snowflake_local import errors

STRING: Final = r"'(?:[^'\\]++|''|\\.)*+'"
"""A text in quotes, as a regular expression; linear, whatever the text."""
_LEADING_COMMENT: Final = re.compile(r"^\s*(/\*.*?\*/\s*|--[^\n]*(?:\n|$)\s*)+", re.DOTALL)
_TRAILING_COMMENT: Final = re.compile(r"\s*(/\*(?:(?!\*/).)*\*/\s*)+;?\s*$", re.DOTALL)
_VARIABLE: Final = re.compile(rf"{STRING}|\"[^\"]*\"|(?<![\$\w])\$([A-Za-z_]\w*)", re.DOTALL)


def without_comments(statement: str) -> str:
    """A statement without the comments before and after it (dbt puts its query comment at either end)."""
    return _TRAILING_COMMENT.sub("", _LEADING_COMMENT.sub("", statement))


def with_variables(statement: str, variables: Mapping[str, str]) -> str:
    """A statement with the values of the session's variables in the place of `$name`; `variables` by upper-case name.

    Raises:
        snowflake.connector.errors.ProgrammingError: a variable was not set.
    """
    if "$" not in statement:
        return statement

    def value(match: re.Match[str]) -> str:
        name: str | None = match[1]
        if name is None:
            return match[0]
        if name.upper() not in variables:
            raise errors.compilation(f"Session variable '${name.upper()}' does not exist")
        return variables[name.upper()]

    return _VARIABLE.sub(value, statement)


def unquoted(text: str) -> str:
    """The value of a text in quotes; any other text as it is."""
    if not text.startswith("'"):
        return text
    return re.sub(r"''|\\(.)", lambda match: match[1] or "'", text[1:-1], flags=re.DOTALL)
