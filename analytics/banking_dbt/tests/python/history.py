"""A random history of the bank as RAW holds it, and the short fold that says what the marts must show.

First an initial snapshot, whose first attempt crashed and left ghosts. Then database transactions that overlap: each
writes its rows somewhere in the log between its beginning and its commit, on keys that no other open transaction
touches, and now and then truncates a table. Records reach RAW per topic in commit order; some come twice, and any
topic may lag behind.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

START = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
_CATALOGUE = json.loads((Path(__file__).resolve().parents[4] / "infra" / "warehouse" / "tables.json").read_text())
TABLES = ("customers", "accounts", "transactions")
COLUMNS = {table: tuple(column["name"] for column in _CATALOGUE[table]["columns"]) for table in TABLES}
CDC = (
    "_cdc_op",
    "_cdc_snapshot",
    "_cdc_lsn",
    "_cdc_tx_id",
    "_cdc_tx_order",
    "_cdc_source_time",
    "_cdc_partition",
    "_cdc_offset",
)
KEYS = range(1, 25)
PARTITIONS = 3
GHOST_LSN, SNAPSHOT_LSN, FIRST_LSN = 50, 90, 100


@dataclass
class Change:
    table: str
    op: str
    row: tuple
    lsn: int = 0
    order: int | None = None


@dataclass
class SourceCommit:
    tx_id: int
    changes: list[Change] = field(default_factory=list)
    locks: set[tuple[str, int]] = field(default_factory=set)
    end_lsn: int = 0
    end_offset: int = 0


@dataclass
class History:
    """Snapshot and commits, and their records per table in the order of their topic, each with its commit's number."""

    ghosts: list[Change]
    snapshot: list[Change]
    commits: list[SourceCommit]
    records: dict[str, list[tuple[int, tuple]]] = field(default_factory=dict)


def _row(rng: random.Random, table: str, key: int) -> tuple:
    created = START + timedelta(microseconds=key)
    cents = Decimal(rng.randrange(1, 10**9)) / 100
    if table == "customers":
        return (key, f"f{rng.randrange(9)}", f"l{rng.randrange(9)}", f"{key}.{rng.randrange(99)}@example.com", created)
    if table == "accounts":
        return (key, rng.randrange(1, 50), rng.choice(["CHECKING", "SAVINGS"]), cents, "USD", created)
    related = rng.choice([None, rng.randrange(1, 50)])
    kind = rng.choice(["DEPOSIT", "WITHDRAWAL", "TRANSFER"])
    return (key, rng.randrange(1, 50), kind, cents, related, "COMPLETED", created)


def _nothing(table: str, key: int | None) -> tuple:
    return (key, *[None] * (len(COLUMNS[table]) - 1))


def history(rng: random.Random, count: int) -> History:
    """A snapshot and `count` commits, in commit order."""
    ghosts = [Change(table, "r", _row(rng, table, key), GHOST_LSN) for table in TABLES for key in (1, 2, 30, 31)]
    # The second attempt found no transactions: only its notification says that the ghosts there are none of its rows.
    snapshot = [Change(table, "r", _row(rng, table, key), SNAPSHOT_LSN) for table in TABLES[:2] for key in (1, 2, 3)]
    live = {table: {change.row[0] for change in snapshot if change.table == table} for table in TABLES}
    opened: list[SourceCommit] = []
    done: list[SourceCommit] = []
    lsn = FIRST_LSN
    while len(done) < count:
        lsn += rng.randrange(1, 50)
        if len(opened) < 4 and (not opened or rng.random() < 0.3):
            opened.append(SourceCommit(tx_id=0))
        commit = rng.choice(opened)
        if commit.changes and rng.random() < 0.35:
            commit.tx_id = 500 + len(done) % (count // 2 + 1)  # ids are used again, as after a wrap-around
            commit.end_lsn, commit.end_offset = lsn, 3 * len(done) + 1
            opened.remove(commit)
            done.append(commit)
            continue
        change = _change(rng, live, commit, {key for other in opened for key in other.locks})
        if change is not None:
            change.lsn, change.order = lsn, len(commit.changes) + 1
            commit.changes.append(change)
    told = History(ghosts, snapshot, done)
    told.records = {table: _records(rng, told, table) for table in TABLES}
    return told


def _change(
    rng: random.Random, live: dict[str, set[int]], commit: SourceCommit, locked: set[tuple[str, int]]
) -> Change | None:
    table, key = rng.choice(TABLES), rng.choice(KEYS)
    others = locked - commit.locks
    if rng.random() < 0.03 and not any(name == table for name, _ in others):
        commit.locks |= {(table, every) for every in KEYS}
        live[table].clear()
        return Change(table, "t", _nothing(table, None))
    if (table, key) in others:
        return None
    commit.locks.add((table, key))
    if key not in live[table]:
        live[table].add(key)
        return Change(table, "c", _row(rng, table, key))
    if rng.random() < 0.3:
        live[table].discard(key)
        return Change(table, "d", _nothing(table, key))
    return Change(table, "u", _row(rng, table, key))


def _records(rng: random.Random, told: History, table: str) -> list[tuple[int, tuple]]:
    offsets = dict.fromkeys(range(PARTITIONS), 0)
    records: list[tuple[int, tuple]] = []

    def append(number: int, change: Change, snapshot: str, tx_id: int) -> None:
        partition = (change.row[0] or 0) % PARTITIONS
        position = (
            change.lsn,
            tx_id,
            change.order,
            START + timedelta(seconds=number + 1),
            partition,
            offsets[partition],
        )
        records.append((number, (*change.row, change.op, snapshot, *position)))
        offsets[partition] += 1

    for attempt in (told.ghosts, told.snapshot):
        rows = [change for change in attempt if change.table == table]
        for position, change in enumerate(rows):
            append(-1, change, "first" if position == 0 else "true", change.lsn)
    for number, commit in enumerate(told.commits):
        for change in commit.changes:
            if change.table == table:
                for _ in range(rng.choices((1, 2), (9, 1))[0]):
                    append(number, change, "false", commit.tx_id)
    return records


def rows(told: History, table: str) -> list[tuple]:
    """A table's records as RAW has them, in the order of their arrival."""
    return [row for _, row in told.records[table]]


def end_rows(told: History) -> list[tuple]:
    """BEGIN and END records in commit order."""
    records: list[tuple] = []
    for commit in told.commits:
        counts = {t: sum(1 for change in commit.changes if change.table == t) for t in TABLES}
        collections = [{"data_collection": f"public.{t}", "event_count": n} for t, n in counts.items() if n]
        collections.append({"data_collection": ".message", "event_count": 1})
        total, told_as = len(commit.changes) + 1, json.dumps(collections)
        tx_id, begin, offset = commit.tx_id, commit.changes[0].lsn, commit.end_offset
        records.append(("BEGIN", tx_id, begin, None, None, START, offset - 1, 0))
        records.append(("END", tx_id, commit.end_lsn, total, told_as, START, offset, 0))
    return records


def notification_rows(told: History) -> list[tuple]:
    """A first attempt that crashed after its second table, and a second one that completed."""
    kinds: list[tuple[str, str | None, int | None]] = []
    for attempt, tables in ((told.ghosts, TABLES[:2]), (told.snapshot, TABLES)):
        kinds.append(("STARTED", None, None))
        for table in tables:
            count = sum(1 for change in attempt if change.table == table)
            kinds.append(("TABLE_SCAN_COMPLETED", f"public.{table}", count))
    kinds.append(("COMPLETED", None, None))
    return [(f"n{i}", "Initial Snapshot", *kind, START, i, 0) for i, kind in enumerate(kinds)]


def whole(told: History, landed: dict[str, int], ends: int) -> list[SourceCommit]:
    """The longest prefix of commits that has all its records among the first `landed[table]` and `ends` rows."""
    missing = {number for table in TABLES for number, _ in _late(told.records[table], landed[table])}
    prefix: list[SourceCommit] = []
    for number, commit in enumerate(told.commits):
        if number in missing or 2 * (number + 1) > ends:
            break
        prefix.append(commit)
    return prefix


def _late(records: list[tuple[int, tuple]], landed: int) -> list[tuple[int, tuple]]:
    """The records not yet landed that are no repeats of landed ones."""
    width = len(CDC)
    arrived = {(row[0], row[-width], row[2 - width]) for _, row in records[:landed]}
    return [(number, row) for number, row in records[landed:] if (row[0], row[-width], row[2 - width]) not in arrived]


def _shown(told: History, prefix: list[SourceCommit], table: str) -> list[Change]:
    changes = [*told.snapshot, *(change for commit in prefix for change in commit.changes)]
    return [change for change in changes if change.table == table]


def fold(told: History, prefix: list[SourceCommit], table: str) -> set[tuple]:
    """The rows that exist after the snapshot and these commits."""
    state: dict[int, tuple] = {}
    for change in _shown(told, prefix, table):
        if change.op == "t":
            state.clear()
        elif change.op == "d":
            state.pop(change.row[0], None)
        else:
            state[change.row[0]] = change.row
    return set(state.values())


def versions(told: History, prefix: list[SourceCommit], table: str) -> list[tuple]:
    """Every version in the order of the log; deletes and truncates end versions and are none."""
    return [change.row for change in _shown(told, prefix, table) if change.op not in "dt"]
