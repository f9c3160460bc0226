"""A topic with very many changes, in Kafka transactions of which some are aborted, and poison among them.

The records come from a small pool of encoded ones, so that a million of them takes seconds; what each of them is can be
told from its bytes, by whoever reads the topic.
"""

import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from envelope_testing.debezium import ACCOUNT_FIELDS, change, envelope, framed, key_schema

from consumer_testing.poison import Poison, poisons
from consumer_testing.real import Sandbox

ENVELOPE = envelope(ACCOUNT_FIELDS)
KEY = key_schema()
POOL = 4000
DELETES = 0.03
ABORTED = 0.1
LARGEST = 10_000
"""Records of one Kafka transaction, at most; most are much smaller."""
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(2**32))
"""What decides every choice of a run that is left to chance; a failure names it."""
_AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


class Traffic:
    """The changes of one table: 30 % updates, 3 % deletes, and of each kind of poison the share that is asked for."""

    def __init__(self, sandbox: Sandbox, seed: int, *, partitions: int = 3) -> None:
        self.sandbox = sandbox
        self.topic = sandbox.create_topic("public.accounts", partitions)
        sandbox.create_topic("dead-letters")
        self.partitions = partitions
        self._chance = random.Random(seed)
        self._schema_id, self._key_id = sandbox.register("value", ENVELOPE), sandbox.register("key", KEY)
        self._good: list[dict[str, Any]] = []
        rows = [self._record(number) for number in range(POOL)]
        self.rows = pa.Table.from_pylist(rows, _COLUMNS)
        """What each record of the pool says, as the columns of its segment must say it."""
        row = {**_row(1), "created_at": "2026-03-01T10:00:00Z"}
        self.poisons: list[Poison] = poisons(self._schema_id, ENVELOPE, self._key(1), row)
        self._bad = [{"key": poison.key, "value": poison.value} for poison in self.poisons]
        self._indexes = {record["value"]: index for index, record in enumerate([*self._good, *self._bad])}

    def index(self, value: bytes | None) -> int:
        """Where this record stands in the pool; from `POOL` on it is poison, in the order of `poisons`."""
        return self._indexes[value or b""]

    def fill(self, records: int, poison: float = 0.0) -> None:
        """Commit that many records; of each kind of poison about this share."""
        producer = self.sandbox.producer(transactional=True)
        while records > 0:
            aborted = self._chance.random() < ABORTED
            count = min(records, int(LARGEST ** self._chance.random()) * self.partitions)
            producer.begin_transaction()
            for partition in range(self.partitions):
                share = len(range(partition, count, self.partitions))
                producer.produce_batch(self.topic, self._messages(share, poison), partition=partition)
            producer.flush()
            if aborted:
                producer.abort_transaction(30)
            else:
                producer.commit_transaction(30)
                records -= count

    def _messages(self, count: int, poison: float) -> list[dict[str, Any]]:
        first = self._chance.randrange(POOL)
        messages = [self._good[(first + number) % POOL] for number in range(count)]
        for bad in self._bad:
            for index in self._some(count, poison):
                messages[index] = bad
        return messages

    def _some(self, count: int, share: float) -> Sequence[int]:
        whole, rest = divmod(count * share, 1)
        return self._chance.sample(range(count), int(whole) + (self._chance.random() < rest))

    def _key(self, identity: int) -> bytes:
        return framed(self._key_id, KEY, {"id": identity})

    def _record(self, number: int) -> dict[str, Any]:
        """Make one record of the pool; the row that it must become."""
        kind = self._chance.random()
        op = "d" if kind < DELETES else "u" if kind < 0.3 else "c"
        row = _row(number)
        written = None if op == "d" else {**row, "created_at": row["created_at"].isoformat()}
        lsn = 10_000 + number
        self._good.append(
            {"key": self._key(number), "value": framed(self._schema_id, ENVELOPE, change(op, written, lsn=lsn))}
        )
        return {**({"id": number} if op == "d" else row), "_cdc_op": op, "_cdc_lsn": lsn}


_COLUMNS = pa.schema(
    [
        *(("id", pa.int32()), ("customer_id", pa.int32()), ("account_type", pa.string())),
        *(("balance", pa.decimal128(18, 2)), ("created_at", pa.timestamp("us", "UTC"))),
        *(("_cdc_op", pa.string()), ("_cdc_lsn", pa.int64())),
    ]
)


def _row(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "customer_id": number % 7,
        "account_type": "CHECKING",
        "balance": Decimal(number - 100).scaleb(-2),
        "created_at": _AT + timedelta(microseconds=number),
    }
