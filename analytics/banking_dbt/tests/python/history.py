"""A random history of the bank as RAW holds it, and the short fold that says what the marts must show.

Transactions overlap: each writes its rows somewhere in the log between its beginning and its commit, on keys that no
other open transaction touches. Records reach RAW per topic in commit order, and any topic may lag behind.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

START = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
TABLES = ("customers", "accounts", "transactions")
COLUMNS = {
    "customers": ("id", "first_name", "last_name", "email", "created_at"),
    "accounts": ("id", "customer_id", "account_type", "balance", "currency", "created_at"),
    "transactions": ("id", "account_id", "txn_type", "amount", "related_account_id", "status", "created_at"),
}
CDC = (
    "_cdc_op",
    "_cdc_snapshot",
    "_cdc_lsn",
    "_cdc_tx_id",
    "_cdc_tx_order",
    "_cdc_source_time",
    "_cdc_offset",
    "_cdc_partition",
)


@dataclass
class Change:
    table: str
    op: str
    row: tuple
    lsn: int = 0
    order: int = 0


@dataclass
class Transaction:
    tx_id: int
    changes: list[Change] = field(default_factory=list)
    end_lsn: int = 0
    end_offset: int = 0


def _row(rng: random.Random, table: str, key: int) -> tuple:
    created = START + timedelta(microseconds=key)
    cents = Decimal(rng.randrange(1, 10**9)) / 100
    if table == "customers":
        return (key, f"f{rng.randrange(9)}", f"l{rng.randrange(9)}", f"{key}.{rng.randrange(99)}@example.com", created)
    if table == "accounts":
        return (key, rng.randrange(1, 50), rng.choice(["CHECKING", "SAVINGS"]), cents, "USD", created)
    related = rng.choice([None, rng.randrange(1, 50)])
    return (
        key,
        rng.randrange(1, 50),
        rng.choice(["DEPOSIT", "WITHDRAWAL", "TRANSFER"]),
        cents,
        related,
        "COMPLETED",
        created,
    )


def _deleted(table: str, key: int) -> tuple:
    return (key, *[None] * (len(COLUMNS[table]) - 1))


def history(rng: random.Random, count: int) -> list[Transaction]:
    """Committed transactions in commit order."""
    live: dict[str, set[int]] = {table: set() for table in TABLES}
    locked: set[tuple[str, int]] = set()
    opened: list[Transaction] = []
    done: list[Transaction] = []
    lsn = 100
    while len(done) < count:
        lsn += rng.randrange(1, 50)
        if len(opened) < 4 and (not opened or rng.random() < 0.3):
            opened.append(Transaction(tx_id=500 + len(done) + len(opened) * 1000))
        transaction = rng.choice(opened)
        if transaction.changes and rng.random() < 0.35:
            transaction.end_lsn = lsn
            transaction.end_offset = 3 * len(done) + 1
            locked -= {(change.table, change.row[0]) for change in transaction.changes}
            opened.remove(transaction)
            done.append(transaction)
            continue
        table, key = rng.choice(TABLES), rng.randrange(1, 25)
        mine = {(change.table, change.row[0]) for change in transaction.changes}
        if (table, key) in locked - mine:
            continue
        locked.add((table, key))
        if key not in live[table]:
            op, row = "c", _row(rng, table, key)
            live[table].add(key)
        elif rng.random() < 0.3:
            op, row = "d", _deleted(table, key)
            live[table].discard(key)
        else:
            op, row = "u", _row(rng, table, key)
        transaction.changes.append(Change(table, op, row, lsn, len(transaction.changes) + 1))
    for number, transaction in enumerate(done):
        transaction.tx_id = 500 + number % (count // 2 + 1)  # ids are used again, as after a wrap-around
    return done


def change_rows(transactions: list[Transaction], table: str) -> list[tuple]:
    """A table's records in the order of its topic (one partition)."""
    changes = [
        (transaction, change) for transaction in transactions for change in transaction.changes if change.table == table
    ]
    return [
        (*change.row, change.op, "false", change.lsn, transaction.tx_id, change.order, START, offset, 0)
        for offset, (transaction, change) in enumerate(changes)
    ]


def end_rows(transactions: list[Transaction]) -> list[tuple]:
    """BEGIN and END records in commit order."""
    rows: list[tuple] = []
    for transaction in transactions:
        counts = {t: sum(1 for change in transaction.changes if change.table == t) for t in TABLES}
        collections = [{"data_collection": f"public.{t}", "event_count": n} for t, n in counts.items() if n]
        collections.append({"data_collection": ".message", "event_count": 1})
        begin = transaction.changes[0].lsn
        rows.append(("BEGIN", transaction.tx_id, begin, None, None, START, transaction.end_offset - 1, 0))
        total = len(transaction.changes) + 1
        rows.append(
            (
                "END",
                transaction.tx_id,
                transaction.end_lsn,
                total,
                json.dumps(collections),
                START,
                transaction.end_offset,
                0,
            )
        )
    return rows


def whole(transactions: list[Transaction], landed: dict[str, int], ends: int) -> list[Transaction]:
    """The longest prefix whose records are among the first `landed[table]` and the first `ends` rows."""
    seen = dict.fromkeys(TABLES, 0)
    prefix: list[Transaction] = []
    for number, transaction in enumerate(transactions):
        for change in transaction.changes:
            seen[change.table] += 1
        if 2 * (number + 1) > ends or any(seen[table] > landed[table] for table in TABLES):
            break
        prefix.append(transaction)
    return prefix


def fold(transactions: list[Transaction], table: str) -> set[tuple]:
    """The rows that exist after these transactions."""
    state: dict[int, tuple] = {}
    for transaction in transactions:
        for change in transaction.changes:
            if change.table == table:
                state.pop(change.row[0], None) if change.op == "d" else state.update({change.row[0]: change.row})
    return set(state.values())


def versions(transactions: list[Transaction], table: str) -> int:
    """How many versions of rows there were, deletes not counted."""
    return sum(
        1
        for transaction in transactions
        for change in transaction.changes
        if change.table == table and change.op != "d"
    )
