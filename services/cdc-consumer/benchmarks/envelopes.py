"""Change events of a bank's transactions, as Debezium and the Avro converter write them: 30 % updates, 3 % deletes."""

import io
import random
from decimal import Decimal
from typing import Any, Final

import fastavro

from cdc_consumer.records import Records

VALUE_ID: Final = 7
KEY_ID: Final = 8
_MICROS: Final = 1_770_000_000_000_000


def _optional(kind: Any) -> dict[str, Any]:
    return {"type": ["null", kind], "default": None}


ROW: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Value",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "account_id", "type": "int"},
        {"name": "txn_type", "type": "string"},
        {
            "name": "amount",
            "type": {
                "type": "bytes",
                "scale": 2,
                "precision": 18,
                "connect.parameters": {"scale": "2", "connect.decimal.precision": "18"},
                "connect.name": "org.apache.kafka.connect.data.Decimal",
                "logicalType": "decimal",
            },
        },
        {"name": "related_account_id", **_optional("int")},
        {"name": "status", "type": "string"},
        {"name": "created_at", **_optional({"type": "string", "connect.name": "io.debezium.time.ZonedTimestamp"})},
    ],
}
KEY: Final[dict[str, Any]] = {"type": "record", "name": "Key", "fields": [{"name": "id", "type": "long"}]}
_SOURCE: Final = [
    *({"name": name, "type": "string"} for name in ("version", "connector", "name")),
    {"name": "ts_ms", "type": "long"},
    {"name": "snapshot", "type": ["string", "null"], "default": "false"},
    {"name": "db", "type": "string"},
    {"name": "sequence", **_optional("string")},
    *({"name": name, **_optional("long")} for name in ("ts_us", "ts_ns")),
    *({"name": name, "type": "string"} for name in ("schema", "table")),
    *({"name": name, **_optional("long")} for name in ("txId", "lsn", "xmin")),
]
_BLOCK: Final = [
    {"name": "id", "type": "string"},
    *({"name": name, "type": "long"} for name in ("total_order", "data_collection_order")),
]
ENVELOPE: Final[dict[str, Any]] = {
    "type": "record",
    "name": "Envelope",
    "namespace": "bank.public.transactions",
    "fields": [
        {"name": "before", **_optional(ROW)},
        {"name": "after", **_optional("Value")},
        {"name": "source", "type": {"type": "record", "name": "Source", "fields": _SOURCE}},
        {"name": "transaction", **_optional({"type": "record", "name": "block", "fields": _BLOCK})},
        {"name": "op", "type": "string"},
        *({"name": name, **_optional("long")} for name in ("ts_ms", "ts_us", "ts_ns")),
    ],
}


def produced(count: int, seed: int = 7) -> Records:
    """That many records of one partition; ids come again as updates and deletes."""
    chance = random.Random(seed)
    value_schema, key_schema = fastavro.parse_schema(ENVELOPE), fastavro.parse_schema(KEY)
    keys: list[bytes | None] = []
    values: list[bytes | None] = []
    newest, lsn = 0, 24_023_128
    for number in range(count):
        kind = chance.random() if newest else 0.0
        op = "c" if kind < 0.67 else "u" if kind < 0.97 else "d"
        newest += op == "c"
        identity = newest if op == "c" else chance.randrange(1, newest + 1)
        lsn += chance.randrange(50, 400)
        keys.append(_framed(KEY_ID, key_schema, {"id": identity}))
        values.append(_framed(VALUE_ID, value_schema, _envelope(op, identity, number, lsn, chance)))
    return Records(range(count), keys, values, [None] * count)


def _envelope(op: str, identity: int, number: int, lsn: int, chance: random.Random) -> dict[str, Any]:
    row = {
        "id": identity,
        "account_id": chance.randrange(1, 50_000),
        "txn_type": chance.choice(["DEPOSIT", "WITHDRAWAL", "TRANSFER"]),
        "amount": Decimal(chance.randrange(1, 500_000)).scaleb(-2),
        "related_account_id": chance.choice([None, chance.randrange(1, 50_000)]),
        "status": "COMPLETED",
        "created_at": f"2026-03-{chance.randrange(1, 29):02d}T10:{chance.randrange(60):02d}:00.{number % 10**6:06d}Z",
    }
    micros = _MICROS + number * 1000
    invented = {**row, "txn_type": "", "amount": Decimal(0)}
    return {
        "before": invented if op == "d" else None,
        "after": None if op == "d" else row,
        "source": {
            **{"version": "3.7.0.Final", "connector": "postgresql", "name": "bank", "ts_ms": micros // 1000},
            **{"snapshot": "false", "db": "bank", "sequence": f'["{lsn - 100}","{lsn}"]', "ts_us": micros},
            **{"ts_ns": micros * 1000, "schema": "public", "table": "transactions"},
            **{"txId": 700 + number // 3, "lsn": lsn, "xmin": None},
        },
        "transaction": {"id": f"{700 + number // 3}:{lsn}", "total_order": number % 3 + 1, "data_collection_order": 1},
        "op": op,
        "ts_ms": micros // 1000,
        "ts_us": micros,
        "ts_ns": micros * 1000,
    }


def _framed(schema_id: int, schema: Any, value: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    target.write(b"\0" + schema_id.to_bytes(4, "big"))
    fastavro.schemaless_writer(target, schema, value)
    return target.getvalue()
