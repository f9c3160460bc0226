"""Our rewrites on the syntax tree, before fakesnow's: what it leaves out, gets wrong or would ignore."""

import re
from collections.abc import Sequence
from typing import Final, cast

from fakesnow.params import index_of_placeholder
from sqlglot import exp

from snowflake_local import errors

_DATABASE_NAME: Final = re.compile(r"[A-Za-z0-9_$]+")


def refuse_ignored(tree: exp.Expr) -> None:
    """Refuse what upstream would leave out of a statement without a word.

    Raises:
        snowflake.connector.errors.ProgrammingError: names it.
    """
    for explode in tree.find_all(exp.Explode):
        _only_plain_flatten(explode)
    if isinstance(tree, exp.Create) and str(tree.kind).upper() == "DATABASE":
        _plain_database_name(tree)


def _only_plain_flatten(explode: exp.Explode) -> None:
    """FLATTEN's other modes would silently give other rows."""
    for option in explode.expressions:
        name = option.this.name.upper() if isinstance(option, exp.Kwarg) else ""
        value = option.expression if isinstance(option, exp.Kwarg) else None
        if name in ("OUTER", "RECURSIVE", "MODE", "PATH") and not (isinstance(value, exp.Boolean) and not value.this):
            raise errors.unsupported(f"FLATTEN with {name}")


def _plain_database_name(create: exp.Create) -> None:
    """A database is a file of its name."""
    name = str(create.this.name)
    if not _DATABASE_NAME.fullmatch(name):
        raise errors.unsupported(f"a database named '{name}' (letters, digits, _ and $ only)")


def with_values(tree: exp.Expr, values: dict[str, str]) -> exp.Expr:
    """CURRENT_ROLE() and the like as the session's values, by the function's name; an empty one is NULL."""

    def value(node: exp.Expr) -> exp.Expr:
        name = node.name.upper() if isinstance(node, exp.Anonymous) else ""
        if isinstance(node, exp.Func) and not name:
            name = node.sql_name()
        if name in values:
            return exp.Literal.string(values[name]) if values[name] else exp.Null()
        return node

    return tree.transform(value, copy=False)


def with_kind(tree: exp.Expr) -> exp.Expr:
    """`USE x` without a kind: a database, or with a dot in it a schema."""
    if isinstance(tree, exp.Use) and not tree.args.get("kind") and isinstance(tree.this, exp.Table):
        tree.set("kind", exp.var("SCHEMA" if tree.this.db else "DATABASE"))
    return tree


def with_names(tree: exp.Expr, binds: object) -> tuple[exp.Expr, tuple[int, ...]]:
    """`identifier('"DB"."SCHEMA"."X"')`, with a literal or a bound value, is the table of that name.

    Gives the tree, and the positions of the bound values that it takes, one after the other.
    """
    left: list[object] = list(cast("Sequence[object]", binds)) if isinstance(binds, (list, tuple)) else []
    taken: list[int] = []

    def named(node: exp.Expr) -> exp.Expr:
        argument = _identifier(node)
        if argument is None:
            return node
        if isinstance(argument, exp.Placeholder):
            position = index_of_placeholder(argument.root(), argument)
            if position >= len(left):
                raise errors.compilation("identifier(?) without a bound value")
            taken.append(position)
            name = str(left.pop(position))
        else:
            name = str(getattr(argument, "name", argument))
        return exp.to_table(name, dialect="snowflake")

    return tree.transform(named, copy=False), tuple(taken)


def _identifier(node: exp.Expr) -> object | None:
    if not isinstance(node, exp.Table):
        return None
    if isinstance(node.this, exp.Anonymous) and str(node.this.this).upper() == "IDENTIFIER":
        return node.this.expressions[0]
    if isinstance(node.this, exp.DynamicIdentifier):
        return node.this.this
    return None
