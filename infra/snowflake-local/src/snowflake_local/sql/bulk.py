"""Long lists of plain values don't go through the parser and the rewrites, which cost by the node.

INSERT … VALUES of literals keeps only one row of what is no plain literal, and COPY's FILES none of its names; what was
cut out is put back into the rewritten tree as it was: numbers, plain strings, NULL and booleans read alike in both.
"""

import re
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

FILES: Final = "local_files"
_STRING: Final = r"'(?:[^'\\]++|''|\\.)*+'"
_CALL: Final = r"\w+\(\)"
_ITEM: Final = rf"(?:{_STRING}|{_CALL}|[-+]?\d+(?:\.\d+)?+(?![\w.])|(?:NULL|TRUE|FALSE)\b)"
_ROW: Final = rf"\(\s*+{_ITEM}\s*+(?:,\s*+{_ITEM}\s*+)*+\)"
_INSERT: Final = re.compile(
    rf"\s*+(INSERT\s+INTO\s+[\w.$\"]+\s*(?:\([^()'?]*\)\s*)?VALUES)\s*+({_ROW}\s*+(?:,\s*+{_ROW}\s*+)*+);?\s*+$",
    re.IGNORECASE | re.DOTALL,
)
_REWRITTEN: Final = re.compile(rf"{_STRING}|{_CALL}", re.DOTALL)
_NAME: Final = r"'[^'\\]*+'"
_COPY: Final = re.compile(
    rf"(\s*+COPY\s+INTO\s[^']*?\bFILES\s*=\s*)\(\s*+({_NAME}\s*+(?:,\s*+{_NAME}\s*+)*+)\)", re.IGNORECASE
)
_SHORT: Final = 400
"""Characters of a list that is not worth it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A statement without its list.

    Attributes:
        statement: what is parsed and rewritten.
        rows: VALUES' rows as they were written; empty for COPY.
        others: the items of these that have to be rewritten, each once, as `statement` has them in its one row.
        files: COPY's names.
    """

    statement: str
    rows: str = ""
    others: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def restore(self, rewritten: exp.Expr) -> None:
        """Put the list back into the tree of `statement`."""
        if self.files:
            rewritten.args[FILES] = self.files
            return
        values = rewritten.expression
        mapped = dict(
            zip(self.others, (item.sql("duckdb") for item in values.expressions[0].expressions), strict=False)
        )
        rows = _REWRITTEN.sub(lambda item: mapped.get(item[0], item[0]), self.rows) if mapped else self.rows
        values.set("expressions", [exp.var(rows)])


def cut(statement: str) -> Cut | None:
    """The statement without its list, or None when it has no long list of plain values."""
    if len(statement) < _SHORT:
        return None
    if match := _COPY.match(statement):
        files = tuple(name[1:-1] for name in re.findall(_NAME, match[2]))
        return Cut(f"{match[1]}('x'){statement[match.end() :]}", files=files)
    if match := _INSERT.match(statement):
        rows = match[2].rstrip()
        others = tuple(dict.fromkeys(item for item in _REWRITTEN.findall(rows) if item[0] != "'" or "\\" in item))
        return Cut(f"{match[1]} ({', '.join(others) or 'NULL'})", rows, others)
    return None


def shortened(statement: str) -> str:
    """The text that is parsed."""
    shorter = cut(statement)
    return shorter.statement if shorter else statement
