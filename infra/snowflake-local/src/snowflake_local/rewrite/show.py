"""SHOW's LIKE and LIMIT, which fakesnow knows for tables and views alone."""

from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from snowflake_local import errors

_UPSTREAMS: Final = ("OBJECTS", "TABLES", "VIEWS")
_WITH_NAMES: Final = ("DATABASES", "SCHEMAS", "SEQUENCES", "STAGES")
"""Whose rows have a column `name`."""
_IGNORED: Final = {
    "history": "HISTORY",
    "starts_with": "STARTS WITH",
    "from_": "FROM",
    "privileges": "WITH PRIVILEGES",
}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which rows are shown."""

    like: exp.Expr | None
    limit: exp.Expr | None

    def of(self, shown: exp.Expr) -> exp.Expr:
        """The query of these rows alone."""
        query = exp.Select(expressions=[exp.Star()]).from_(exp.Subquery(this=shown, alias="shown"))
        if self.like is not None:
            query = query.where(exp.ILike(this=exp.column("name"), expression=self.like))
        if self.limit is not None:
            query.set("limit", self.limit)
        return query


def narrowing(show: exp.Show) -> Narrowing | None:
    """Take LIKE and LIMIT off a SHOW for which upstream would leave them out; None when there is nothing to do.

    Raises:
        snowflake.connector.errors.ProgrammingError: a clause that would be ignored.
    """
    for argument, name in _IGNORED.items():
        if show.args.get(argument):
            raise errors.unsupported(f"SHOW … {name}")
    kind = show.name.upper()
    found = Narrowing(_expression(show, "like"), _expression(show, "limit"))
    if kind in _UPSTREAMS or found == Narrowing(None, None):
        return None
    if kind not in _WITH_NAMES:
        raise errors.unsupported(f"SHOW {kind} … LIKE or LIMIT")
    show.set("like", None)
    show.set("limit", None)
    return found


def _expression(show: exp.Show, name: str) -> exp.Expr | None:
    value = show.args.get(name)
    return value if isinstance(value, exp.Expr) else None
