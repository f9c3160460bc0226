"""INSERT … VALUES of plain literals does without the parser and the rewrites, which cost by the node.

It keeps one row of what is no plain literal; the rows are put into the rewritten SQL as they were: numbers, plain
strings, NULL and booleans read alike in both.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from snowflake_local.parse.text import STRING

ROWS: Final = "__ROWS_THAT_WERE_CUT_OUT__"
"""Stands for the rows in rewritten SQL."""
_CALL: Final = r"\w+\(\)"
_ITEM: Final = rf"(?:{STRING}|{_CALL}|[-+]?\d+(?:\.\d+)?+(?![\w.])|(?:NULL|TRUE|FALSE)\b)"
_ROW: Final = rf"\(\s*+{_ITEM}\s*+(?:,\s*+{_ITEM}\s*+)*+\)"
_INSERT: Final = re.compile(
    rf"\s*+(INSERT\s+INTO\s+[\w.$\"]+\s*(?:\([^()'?]*\)\s*)?VALUES)\s*+({_ROW}\s*+(?:,\s*+{_ROW}\s*+)*+);?\s*+$",
    re.IGNORECASE | re.DOTALL,
)
_REWRITTEN: Final = re.compile(rf"{STRING}|{_CALL}", re.DOTALL)
_SHORT: Final = 400
"""Characters of a list that is not worth it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A statement without its list.

    Attributes:
        statement: what is parsed and rewritten.
        rows: VALUES' rows as they were written.
        others: the items of these that have to be rewritten, each once, as `statement` has them in its one row.
    """

    statement: str
    rows: str
    others: tuple[str, ...]

    def restore(self, sql: str, rewritten: Sequence[str]) -> str:
        """Rewritten SQL with the rows in the place of `ROWS`; `rewritten` has the SQL of each of `others`."""
        mapped = dict(zip(self.others, rewritten, strict=False))
        rows = _REWRITTEN.sub(lambda item: mapped.get(item[0], item[0]), self.rows) if mapped else self.rows
        return sql.replace(ROWS, rows, 1)


def cut(statement: str) -> Cut | None:
    """The statement without its rows, or None when it has no long list of plain values."""
    if len(statement) < _SHORT:
        return None
    match = _INSERT.match(statement)
    if match is None:
        return None
    rows = match[2].rstrip()
    others = tuple(dict.fromkeys(item for item in _REWRITTEN.findall(rows) if item[0] != "'" or "\\" in item))
    return Cut(f"{match[1]} ({', '.join(others) or 'NULL'})", rows, others)
