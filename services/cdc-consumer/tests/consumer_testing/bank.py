"""A table's topic in the real Kafka, filled as Debezium fills it."""

from decimal import Decimal
from typing import Any

from confluent_kafka import Producer
from envelope_testing.debezium import ACCOUNT_FIELDS, change, envelope, framed, key_schema

from consumer_testing.real import Sandbox

ENVELOPE = envelope(ACCOUNT_FIELDS)
KEY = key_schema()


class Bank:
    """Produces changes of one table as Debezium with exactly-once source does: in Kafka transactions."""

    def __init__(self, sandbox: Sandbox, partitions: int = 3) -> None:
        self.topic = sandbox.create_topic("public.accounts", partitions)
        self.partitions = partitions
        self.schema_id = sandbox.register("value", ENVELOPE)
        self.key_id = sandbox.register("key", KEY)
        self.producer: Producer = sandbox.producer(transactional=True)
        self.number = 0

    def row(self) -> dict[str, Any]:
        self.number += 1
        return {
            "id": self.number,
            "customer_id": self.number % 7,
            "account_type": "CHECKING",
            "balance": Decimal(self.number).scaleb(-2),
            "created_at": "2026-03-01T10:00:00.123456Z",
        }

    def value(self, row: dict[str, Any]) -> bytes:
        """The record of this row's insertion."""
        return framed(self.schema_id, ENVELOPE, change("c", row, lsn=self.number))

    def transaction(self, rows: int, *, abort: bool = False) -> None:
        """Write rows to all partitions in one Kafka transaction."""
        self.producer.begin_transaction()
        for _ in range(rows):
            row = self.row()
            self.producer.produce(
                self.topic,
                key=framed(self.key_id, KEY, {"id": row["id"]}),
                value=self.value(row),
                partition=self.number % self.partitions,
            )
        self.producer.flush()
        if abort:
            self.producer.abort_transaction(30)
        else:
            self.producer.commit_transaction(30)
