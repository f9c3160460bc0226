"""The source against the marts, row by row and column by column, both ways.

Both sides are read in the order of the key and merged, so that a table of any size is compared in constant memory.
Values are equal when their types and they are: a mart that shows money as a float differs even where it looks right.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

Row = tuple[Any, ...]
"""One row; its first value is the key."""

EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """A table and its mart: the columns of both, in one order, the key first. `money` is summed on both sides."""

    table: str
    mart: str
    columns: tuple[tuple[str, str], ...]
    where: str = "TRUE"
    money: str | None = None

    @property
    def source_query(self) -> str:
        """Every row of the source, in the order of the key."""
        columns = ", ".join(source for source, _ in self.columns)
        return f"SELECT {columns} FROM {self.table} ORDER BY {self.columns[0][0]}"  # noqa: S608 - a closed set

    @property
    def mart_query(self) -> str:
        """Every current row of the mart, in the order of the key."""
        columns = ", ".join(mart for _, mart in self.columns)
        return f"SELECT {columns} FROM {self.mart} WHERE {self.where} ORDER BY {self.columns[0][1]}"  # noqa: S608

    @property
    def money_index(self) -> int | None:
        """The index of the money column in a row."""
        return None if self.money is None else [source for source, _ in self.columns].index(self.money)


def _same(*columns: str) -> tuple[tuple[str, str], ...]:
    return tuple((column, column) for column in columns)


TABLES: Final = (
    ComparedTable(
        "customers",
        "MARTS.DIM_CUSTOMERS",
        (("id", "customer_id"), *_same("first_name", "last_name", "email", "created_at")),
        where="is_current",
    ),
    ComparedTable(
        "accounts",
        "MARTS.DIM_ACCOUNTS",
        (("id", "account_id"), *_same("customer_id", "account_type", "balance", "currency", "created_at")),
        where="is_current",
        money="balance",
    ),
    ComparedTable(
        "transactions",
        "MARTS.FCT_TRANSACTIONS",
        (
            ("id", "transaction_id"),
            *_same("account_id", "txn_type", "amount", "related_account_id", "status", "created_at"),
        ),
        money="amount",
    ),
)


@dataclass(slots=True)
class Side:
    """The totals of one side."""

    rows: int = 0
    money: Decimal = Decimal(0)
    only_here: int = 0


@dataclass(slots=True)
class Difference:
    """The outcome for one table. `only_here` of both sides is what EXCEPT gives in each direction, repeats counted."""

    table: ComparedTable
    source: Side = field(default_factory=Side)
    mart: Side = field(default_factory=Side)
    columns: Counter[str] = field(default_factory=Counter[str])
    """For keys that are on both sides once: how often each column differs."""
    keys: list[Any] = field(default_factory=list[Any])
    """The first keys that differ."""

    @property
    def equal(self) -> bool:
        """True when no row is on one side only."""
        return self.source.only_here == self.mart.only_here == 0


def compare(table: ComparedTable, source: Iterable[Row], mart: Iterable[Row]) -> Difference:
    """Compare two sides, each in ascending order of its key.

    Raises:
        ValueError: a side is not in that order.
    """
    difference = Difference(table)
    names = [name for name, _ in table.columns]
    for key, left, right in _by_key(_counted(source, difference.source, table), _counted(mart, difference.mart, table)):
        only_source, only_mart = _except(left, right), _except(right, left)
        difference.source.only_here += len(only_source)
        difference.mart.only_here += len(only_mart)
        if (only_source or only_mart) and len(difference.keys) < EXAMPLES:
            difference.keys.append(key)
        if len(only_source) == len(only_mart) == 1:
            pairs = zip(names, only_source[0], only_mart[0], strict=True)
            difference.columns.update(name for name, here, there in pairs if not _equal(here, there))
    return difference


def _counted(rows: Iterable[Row], side: Side, table: ComparedTable) -> Iterator[Row]:
    money = table.money_index
    for row in rows:
        side.rows += 1
        if money is not None and row[money] is not None:
            side.money += Decimal(row[money])
        yield row


def _by_key(source: Iterator[Row], mart: Iterator[Row]) -> Iterator[tuple[Any, Sequence[Row], Sequence[Row]]]:
    """Each key of either side, in order, with its rows on both."""
    left, right = _groups(source, "the source"), _groups(mart, "the mart")
    here, there = next(left, None), next(right, None)
    while here is not None or there is not None:
        if there is None or (here is not None and here[0] < there[0]):
            assert here is not None  # noqa: S101 - for the type checker; the loop's condition says so
            yield here[0], here[1], ()
            here = next(left, None)
        elif here is None or there[0] < here[0]:
            yield there[0], (), there[1]
            there = next(right, None)
        else:
            yield here[0], here[1], there[1]
            here, there = next(left, None), next(right, None)


def _groups(rows: Iterator[Row], side: str) -> Iterator[tuple[Any, Sequence[Row]]]:
    previous: Any = None
    for key, group in itertools.groupby(rows, key=lambda row: row[0]):
        if previous is not None and key < previous:
            raise ValueError(f"{side} gave key {key} after {previous}")
        previous = key
        yield key, tuple(group)


def _except(rows: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    """The rows that have no counterpart among the others, each counterpart used once."""
    left = list(others)
    unmatched: list[Row] = []
    for row in rows:
        match = next((index for index, other in enumerate(left) if _rows_equal(row, other)), None)
        if match is None:
            unmatched.append(row)
        else:
            del left[match]
    return unmatched


def _rows_equal(row: Row, other: Row) -> bool:
    return len(row) == len(other) and all(_equal(here, there) for here, there in zip(row, other, strict=True))


def _equal(here: Any, there: Any) -> bool:
    return type(here) is type(there) and here == there
