"""Captures golden records from the real connector of a running stack: `uv run python …/golden/capture.py`.

Makes a table with every type that the connector carries, a publication and a connector of its own, changes rows in the
ways that matter, reads what arrives in Kafka with a plain consumer, writes `records.json`, and takes all of it away.
The stack is the one that BANKCTL_STATE_DIR and BANKCTL_PORT_OFFSET name; `bank up --only
bank-postgres,platform-postgres,kafka,registry,connect,minio` starts enough of it.
"""

import base64
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]

from bank_common.names import PORTS

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[3]
STATE = Path(os.environ.get("BANKCTL_STATE_DIR", ".local"))
OFFSET = int(os.environ.get("BANKCTL_PORT_OFFSET", "0"))
NAME = "golden"
TABLE = f"{NAME}.public.zoo"
TOPICS = {
    TABLE: "changes",
    f"{NAME}.transaction": "transactions",
    f"{NAME}.notifications": "notifications",
    f"{NAME}.message": "message",
    f"__debezium-heartbeat.{NAME}": "heartbeat",
}
SECONDS = 90
# Connect remembers where a connector of that name was, even after it is deleted.
CONNECTOR = f"{NAME}-{int(time.time())}"


def url(component: str) -> str:
    return f"http://127.0.0.1:{PORTS[component] + OFFSET}"


def connect() -> psycopg.Connection[Any]:
    password = (STATE / "secrets" / "bank_postgres_superuser_password").read_text(encoding="utf-8").strip()
    return psycopg.connect(
        host="127.0.0.1",
        port=PORTS["bank_postgres"] + OFFSET,
        user="postgres",
        password=password,
        dbname="bank",
        autocommit=True,
    )


def until(what: str, probe: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.2)
    raise SystemExit(f"{what}: not within {SECONDS} s")


def configuration() -> dict[str, str]:
    """The pipeline's own connector, but for the names, the table and tombstones."""
    committed = json.loads((REPOSITORY / "infra" / "kafka" / "connector.json").read_text(encoding="utf-8"))
    return committed | {
        "topic.prefix": NAME,
        "slot.name": NAME,
        "slot.drop.on.stop": "true",
        "publication.name": NAME,
        "table.include.list": "public.zoo",
        "tombstones.on.delete": "true",
        "heartbeat.interval.ms": "1000",
        "notification.sink.topic.name": f"{NAME}.notifications",
    }


@contextmanager
def captured(database: psycopg.Connection[Any]) -> Iterator[AdminClient]:
    """The table, the topics and the connector, for as long as it takes."""
    admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{PORTS['kafka'] + OFFSET}"})
    clean(database, admin)
    database.execute((HERE / "zoo.sql").read_bytes())
    for future in admin.create_topics([NewTopic(topic, 1, 1) for topic in TOPICS]).values():
        future.result(30)
    answer = httpx.put(f"{url('connect')}/connectors/{CONNECTOR}/config", json=configuration(), timeout=60)
    answer.raise_for_status()
    try:
        yield admin
    finally:
        clean(database, admin)


def clean(database: psycopg.Connection[Any], admin: AdminClient) -> None:
    for connector in httpx.get(f"{url('connect')}/connectors", timeout=60).json():
        if connector.startswith(NAME):
            httpx.delete(f"{url('connect')}/connectors/{connector}", timeout=60)
    slot = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active"
    until(
        "the slot is free",
        lambda: (
            database.execute(slot, (NAME,))
            and not database.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", (NAME,)).fetchone()
        ),
    )
    database.execute(f"DROP PUBLICATION IF EXISTS {NAME}")
    database.execute("DROP TABLE IF EXISTS zoo")
    database.execute("DROP TYPE IF EXISTS mood")
    existing = [topic for topic in TOPICS if topic in admin.list_topics(timeout=10).topics]
    for future in (admin.delete_topics(existing) if existing else {}).values():
        future.result(30)


def read(topic: str) -> list[dict[str, Any]]:
    """Every record of a topic, as it lies there."""
    consumer = Consumer(
        {
            "bootstrap.servers": f"127.0.0.1:{PORTS['kafka'] + OFFSET}",
            "group.id": f"{NAME}-capture",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    records: list[dict[str, Any]] = []
    try:
        while True:
            for message in consumer.consume(100, 0.5):
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    return records
                if error is None:
                    records.append(
                        {
                            "topic": topic,
                            "offset": message.offset(),
                            "key": encoded(message.key()),
                            "value": encoded(message.value()),
                        }
                    )
    finally:
        consumer.close()


def encoded(data: Any) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def schema(schema_id: int) -> Any:
    answer = httpx.get(f"{url('registry')}/apis/ccompat/v7/schemas/ids/{schema_id}", timeout=30)
    answer.raise_for_status()
    return json.loads(answer.json()["schema"])


def main() -> None:
    statements = json.loads((HERE / "statements.json").read_text(encoding="utf-8"))
    with connect() as database, captured(database):
        until("the snapshot is read", lambda: len(read(TABLE)) >= 1)
        until(
            "it streams",
            lambda: database.execute(
                "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND active", (NAME,)
            ).fetchone(),
        )
        expected = 1
        for statement in statements:
            database.execute(statement["sql"])
            expected += statement["records"]
            until(statement["how"], lambda: len(read(TABLE)) >= expected)  # noqa: B023
        until("the last END has come", lambda: len(read(f"{NAME}.transaction")) >= 2 * len(statements))
        until("the message has come", lambda: read(f"{NAME}.message"))
        until("a heartbeat has come", lambda: read(f"__debezium-heartbeat.{NAME}"))
        records = [{"kind": kind, **record} for topic, kind in TOPICS.items() for record in read(topic)]
        records = [record for record in records if record["kind"] != "heartbeat"] + records[
            -1:
        ]  # one heartbeat is like another
    hows = ["initial snapshot", *(schema_id["how"] for schema_id in statements for _ in range(schema_id["records"]))]
    for record, how in zip((record for record in records if record["topic"] == TABLE), hows, strict=True):
        record["how"] = how
    ids = {
        int.from_bytes(base64.b64decode(data)[1:5], "big")
        for record in records
        for data in (record["key"], record["value"])
        if data
    }
    document = {"schemas": {str(schema_id): schema(schema_id) for schema_id in sorted(ids)}, "records": records}
    (HERE / "records.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(records)} records, {len(ids)} schemas\n")


if __name__ == "__main__":
    main()
