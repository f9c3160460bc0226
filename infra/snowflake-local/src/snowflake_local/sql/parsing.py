"""Parsing and rewriting once: clients send the same texts again and again, and a rewrite walks the tree 80 times."""

import threading
from collections import OrderedDict
from functools import lru_cache
from typing import Final

from fakesnow import dialect, statement_type
from sqlglot import exp

from snowflake_local import errors

_LONGEST: Final = 30_000
"""Characters of a text that is worth keeping; longer ones hold values, and do not come again."""
_KEPT_CHARACTERS: Final = 300_000
"""Of all texts together; a tree takes about a hundred times its text."""
_REMEMBERED: Final = 5000
_KEPT: Final = (
    exp.Query,
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.TruncateTable,
    exp.Describe,
    exp.Show,
    exp.Transaction,
    exp.Commit,
    exp.Rollback,
)
_OF_ITS_MOMENT: Final = ("put_stage_name", "list_stage_name", "create_stage_name", "create_file_format_name", "seed")
"""Upstream's marks on trees that hold more than their text says."""


class _Parsed(threading.local):
    """The tree that `kind` has parsed, for the parser that comes after it."""

    text: str = ""
    tree: exp.Expr | None = None


_parsed = _Parsed()


def kind(text: str) -> int:
    """The number that clients tell a statement's kind by.

    Raises:
        snowflake.connector.errors.ProgrammingError: there are several statements; DuckDB would run them all.
    """
    return _kind_of_short(text) if len(text) <= _LONGEST else _kind(text)


@lru_cache(maxsize=500)
def _kind_of_short(text: str) -> int:
    return _kind(text)


def _kind(text: str) -> int:
    try:
        tree = dialect.parse_one(text)
    except Exception:  # noqa: BLE001 - commands of ours don't parse; for others, the cursor says what is wrong
        return statement_type.UNKNOWN
    if isinstance(tree, exp.Block):
        raise errors.statement_count(len(tree.expressions))
    _parsed.text, _parsed.tree = text, tree
    return statement_type.statement_type_id(tree)


def parse_one(text: str) -> exp.Expr:
    """Takes the place of `fakesnow.cursor.parse_one`: the caller may change the tree."""
    tree, _parsed.tree = _parsed.tree, None
    return tree if tree is not None and _parsed.text == text else dialect.parse_one(text)


class Rewritten:
    """Rewritten trees by their text and by what else they depend on; for all sessions."""

    def __init__(self) -> None:
        self._trees: OrderedDict[tuple[object, ...], exp.Expr] = OrderedDict()
        self._characters = 0
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> exp.Expr | None:
        """A tree that the caller may change."""
        with self._lock:
            tree = self._trees.get(key)
            if tree is None:
                return None
            self._trees.move_to_end(key)
            return tree.copy()

    def keep(self, key: tuple[object, ...], tree: exp.Expr) -> None:
        """Keep a copy of a tree that its text alone makes, when it comes for the second time: most never do."""
        text = str(key[0])
        if len(text) > _LONGEST or not isinstance(tree, _KEPT) or any(name in tree.args for name in _OF_ITS_MOMENT):
            return
        with self._lock:
            if key in self._trees or not self._comes_again(hash(key)):
                return
            self._trees[key] = tree.copy()
            self._characters += len(text)
            while self._characters > _KEPT_CHARACTERS:
                (text, *_), _tree = self._trees.popitem(last=False)
                self._characters -= len(str(text))

    def _comes_again(self, number: int) -> bool:
        if number in self._seen:
            del self._seen[number]
            return True
        self._seen[number] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False
