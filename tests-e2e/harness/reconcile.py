"""Postgres against RAW and marts by plain queries and plain sets: it shares no code with what it checks."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

from snowflake.connector.errors import ProgrammingError

from bank_common.names import RAW_TABLE_BY_TOPIC
from harness.kafka_oracle import log_starts, offsets
from harness.stack_driver import StackDriver
from harness.waiting import until

DOES_NOT_EXIST = 2003


@dataclass(frozen=True)
class Comparison:
    """The two queries of a table; both give the same columns in the same order."""

    table: str
    postgres: LiteralString
    marts: str


COMPARISONS = (
    Comparison(
        "customers",
        "select id, first_name, last_name, email, created_at from customers",
        "select customer_id, first_name, last_name, email, created_at from BANK.MARTS.DIM_CUSTOMERS where is_current",
    ),
    Comparison(
        "accounts",
        "select id, customer_id, account_type, balance, currency, created_at from accounts",
        "select account_id, customer_id, account_type, balance, currency, created_at"
        " from BANK.MARTS.DIM_ACCOUNTS where is_current",
    ),
    Comparison(
        "transactions",
        "select id, account_id, txn_type, amount, related_account_id, status, created_at from transactions",
        "select transaction_id, account_id, txn_type, amount, related_account_id, status, created_at"
        " from BANK.MARTS.FCT_TRANSACTIONS",
    ),
)


def _plain(value: Any) -> Any:
    """Instants as UTC, whichever zone a driver gives them in; everything else as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def _rows(rows: list[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(_plain(value) for value in row) for row in rows)


def _mart_rows(stack: StackDriver, sql: str) -> list[tuple[Any, ...]]:
    """A mart's rows; none before the first build has made it."""
    try:
        return stack.rows(sql)
    except ProgrammingError as error:
        if error.errno == DOES_NOT_EXIST:
            return []
        raise


def differences(stack: StackDriver) -> dict[str, tuple[int, int]]:
    """Find the tables that differ: (rows only in Postgres, rows only in the marts), counted with repeats."""
    differing: dict[str, tuple[int, int]] = {}
    for comparison in COMPARISONS:
        source = _rows(stack.bank_rows(comparison.postgres))
        mart = _rows(_mart_rows(stack, comparison.marts))
        if source != mart:
            differing[comparison.table] = ((source - mart).total(), (mart - source).total())
    return differing


def raw_against_kafka(stack: StackDriver) -> dict[str, tuple[int, int, int]]:
    """Find the topics that differ: offsets (missing in RAW, unknown to Kafka, more than once in RAW)."""
    differing: dict[str, tuple[int, int, int]] = {}
    for topic, table in RAW_TABLE_BY_TOPIC.items():
        rows = stack.rows(f"select _CDC_PARTITION, _CDC_OFFSET from BANK.RAW.{table}")
        loaded = Counter((int(partition), int(offset)) for partition, offset in rows)
        expected = offsets(stack.bootstrap_servers, topic)
        twice = sum(1 for count in loaded.values() if count > 1)
        starts = log_starts(stack.bootstrap_servers, topic)
        missing = len(expected - loaded.keys())
        unknown = sum(1 for partition, offset in loaded.keys() - expected if offset >= starts.get(partition, 0))
        if missing or unknown or twice:
            differing[topic] = (missing, unknown, twice)
    return differing


def missing_changes(stack: StackDriver) -> dict[str, tuple[int, int, int]]:
    """`raw_against_kafka` without the records that may rest for minutes (heartbeats on the transaction topic)."""
    return {
        topic: counts
        for topic, counts in raw_against_kafka(stack).items()
        if topic.startswith("bank.public.") or counts[1] or counts[2]
    }


def until_converged(stack: StackDriver, seconds: float = 300) -> None:
    """Wait until marts equal Postgres and RAW equals Kafka, unattended and with no new data."""
    until(
        "the marts equal Postgres, row by row",
        lambda: not differences(stack),
        seconds=seconds,
        every=1.0,
        state=lambda: differences(stack),
    )
    assert missing_changes(stack) == {}
