"""Fills the topics with what the real connector makes of SQL, and copies them."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar
from zlib import crc32

import psycopg
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]

from bank_common import names
from bankctl.stack.stack import Stack

TOPIC: Final = next(table.topic for table in names.TABLES if table.name == "transactions")
ACCOUNTS: Final = 1_000
INSERTS, UPDATES, DELETES = 13_000, 6_000, 1_000
"""Changes of one transaction."""
PER_TRANSACTION: Final = INSERTS + UPDATES + DELETES
SECONDS: Final = 900
T = TypeVar("T")

_ACCOUNTS: Final = f"""
WITH customer AS (
   INSERT INTO customers (first_name, last_name, email) VALUES ('Ada', 'Byron', 'ada@example.com') RETURNING id
)
INSERT INTO accounts (customer_id, account_type, balance)
SELECT customer.id, 'CHECKING', 100 FROM customer, generate_series(1, {ACCOUNTS})
"""
_INSERT: Final = f"""
INSERT INTO transactions (account_id, txn_type, amount, related_account_id, created_at)
SELECT
   (SELECT min(id) FROM accounts) + mod(n, {ACCOUNTS}),
   (ARRAY['DEPOSIT', 'WITHDRAWAL', 'TRANSFER'])[1 + mod(n, 3)],
   (1 + mod(n * 7919 + %(round)s * 104729, 500000)) / 100.0,
   CASE WHEN mod(n, 3) = 2 THEN mod(n, {ACCOUNTS}) END,
   clock_timestamp()
FROM generate_series(1, {INSERTS}) AS n
"""
# Which rows: those whose hash is lowest in this round, so rows of all ages.
_SOME: Final = "SELECT id FROM transactions ORDER BY hashint8(id + %(round)s) LIMIT"
_UPDATE: Final = f"UPDATE transactions SET status = 'REVERSED', amount = amount + 0.01 WHERE id IN ({_SOME} {UPDATES})"
_DELETE: Final = f"DELETE FROM transactions WHERE id IN ({_SOME} {DELETES})"


def say(text: str) -> None:
    """One line, now."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def until(what: str, probe: Callable[[], T | None], seconds: float = SECONDS) -> T:
    """Poll until the probe gives something true.

    Raises:
        SystemExit: it did not in that time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := probe():
            return answer
        time.sleep(0.2)
    raise SystemExit(f"{what}: not within {seconds:.0f} s")


def fill(stack: Stack, changes: int) -> int:
    """Change rows in the bank until its topic holds that many changes, or some more; gives how many.

    What is there from an earlier run counts.
    """
    with Reading(stack, TOPIC) as reading:
        held = reading.count()
        if held >= changes:
            say(f"fill: {TOPIC} holds {held:,} changes already")
            return held
        started = time.monotonic()
        transactions = -(-(changes - held) // PER_TRANSACTION)
        _change(stack, transactions)
        written = time.monotonic() - started
        expected = held + transactions * PER_TRANSACTION
        until(f"{expected:,} changes in {TOPIC}", lambda: reading.count() >= expected)
    say(f"fill: SQL took {written:.0f} s, {expected:,} changes were in Kafka after {time.monotonic() - started:.0f} s")
    return expected


def _change(stack: Stack, transactions: int) -> None:
    slot = "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'bank_cdc' AND active"
    with psycopg.connect(stack.dsn("bank"), autocommit=True) as database:
        if not database.execute("SELECT 1 FROM accounts LIMIT 1").fetchone():
            database.execute(_ACCOUNTS.encode())
        until("the connector streams", lambda: database.execute(slot).fetchone())
        for number in range(transactions):
            with database.transaction():
                database.execute(_INSERT.encode(), {"round": number})
                database.execute(_UPDATE.encode(), {"round": number})
                database.execute(_DELETE.encode(), {"round": number + 7})


def states(stack: Stack) -> dict[int, tuple[Any, ...]]:
    """The source's rows by key."""
    with psycopg.connect(stack.dsn("bank")) as database:
        rows = database.execute("SELECT id, amount, status, txn_type FROM transactions").fetchall()
    return {row[0]: tuple(row) for row in rows}


class Reading:
    """Reads a topic's committed records from its start, as far as it goes; and later on from there."""

    def __init__(self, stack: Stack, topic: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": stack.bootstrap_servers,
                "group.id": "benchmark-reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )
        self._partitions = set(self._consumer.list_topics(topic, timeout=30).topics[topic].partitions)
        self._consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in self._partitions])
        self._counted = 0

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def batches(self) -> Iterator[list[Message]]:
        """What there is, batch by batch."""
        ended: set[int | None] = set()
        while ended != self._partitions:
            messages: list[Message] = []
            for message in self._consumer.consume(10_000, 0.2):
                error = message.error()
                if error is None:
                    messages.append(message)
                    ended.discard(message.partition())
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise KafkaException(error)
            if messages:
                yield messages

    def count(self) -> int:
        """How many records it has found so far, since the beginning."""
        self._counted += sum(map(len, self.batches()))
        return self._counted


def create_topic(stack: Stack, topic: str, partitions: int) -> None:
    """Create a topic and wait until it is known."""
    admin = AdminClient({"bootstrap.servers": stack.bootstrap_servers})
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)
    until(f"{topic} exists", lambda: topic in admin.list_topics(timeout=5).topics)


def delete_topic(stack: Stack, topic: str) -> None:
    """Delete a topic."""
    admin = AdminClient({"bootstrap.servers": stack.bootstrap_servers})
    admin.delete_topics([topic])[topic].result(30)


def producer(stack: Stack, **settings: Any) -> Producer:
    """A producer with the connector's settings."""
    own = {"linger.ms": 5, "compression.type": "lz4", "batch.size": 131_072}
    return Producer({"bootstrap.servers": stack.bootstrap_servers, **own, **settings})


def copy(stack: Stack, target: str, partitions: int, records: int) -> int:
    """Copy the first of the topic's records as they are, each key to one partition; how many they were."""
    create_topic(stack, target, partitions)
    done, writer = 0, producer(stack, **{"queue.buffering.max.messages": 1_000_000})
    with Reading(stack, TOPIC) as reading:
        for batch in reading.batches():
            for message in batch[: records - done]:
                key = message.key()
                assert isinstance(key, bytes)
                writer.produce(target, key=key, value=message.value(), partition=crc32(key) % partitions)
            done += min(len(batch), records - done)
            writer.flush(60)
            if done == records:
                break
    return done
