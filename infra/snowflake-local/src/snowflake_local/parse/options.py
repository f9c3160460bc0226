"""`NAME = value` lists, as PUT, COPY and CREATE STAGE have them: read by themselves, without the parser of SQL."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from snowflake_local import errors
from snowflake_local.parse.text import STRING, unquoted

Value: TypeAlias = "str | tuple[str, ...] | dict[str, Value]"
"""A word or text, a list of texts, or options in parentheses."""
Options: TypeAlias = dict[str, Value]

_PAIR: Final = re.compile(
    rf"\s*+(?P<name>\w+)\s*+=\s*+(?:(?P<one>{STRING}|[\w.+$-]++)|(?P<list>\(\s*+{STRING}\s*+(?:,\s*+{STRING}\s*+)*+\))|(?P<open>\())",
    re.DOTALL,
)
_BETWEEN: Final = re.compile(r"\s*+,?\s*+")
_TEXT: Final = re.compile(STRING, re.DOTALL)


def read(text: str) -> Options:
    """The options by upper-case name.

    Raises:
        snowflake.connector.errors.ProgrammingError: it is no list of options, or one is given twice.
    """
    options, end = _read(text, 0)
    if text[end:].strip():
        raise _unexpected(text[end:])
    return options


def _read(text: str, start: int) -> tuple[Options, int]:
    options: Options = {}
    position = start
    while match := _PAIR.match(text, position):
        name = match["name"].upper()
        if name in options:
            raise errors.compilation(f"duplicate property '{name}'")
        position = match.end()
        if match["open"]:
            options[name], position = _read(text, position)
            if text[position : position + 1] != ")":
                raise _unexpected(text[position:])
            position += 1
        elif match["list"]:
            options[name] = tuple(unquoted(item) for item in _TEXT.findall(match["list"]))
        else:
            options[name] = unquoted(match["one"])
        between = _BETWEEN.match(text, position)
        position = between.end() if between else position
    return options, position


def _unexpected(rest: str) -> Exception:
    word = rest.split(maxsplit=1)[0][:40] if rest.strip() else "<EOF>"
    return errors.compilation(f"syntax error: unexpected '{word}' among the options.")


def only(statement: str, options: Mapping[str, Value], known: Iterable[str]) -> None:
    """Refuse what would be ignored.

    Raises:
        snowflake.connector.errors.ProgrammingError: names the first option that is not one of the `known`.
    """
    unknown = [name for name in options if name not in set(known)]
    if unknown:
        raise errors.unsupported(f"option {unknown[0]} of {statement}")


def boolean(options: Mapping[str, Value], name: str, *, default: bool) -> bool:
    """The value of an option that is TRUE or FALSE.

    Raises:
        snowflake.connector.errors.ProgrammingError: it is something else.
    """
    value = word(options, name, str(default))
    if value not in ("TRUE", "FALSE"):
        raise errors.invalid_property(name)
    return value == "TRUE"


def word(options: Mapping[str, Value], name: str, default: str) -> str:
    """The value of an option that is one word, in upper case.

    Raises:
        snowflake.connector.errors.ProgrammingError: it is a list.
    """
    value = options.get(name, default)
    if not isinstance(value, str):
        raise errors.invalid_property(name)
    return value.upper()
