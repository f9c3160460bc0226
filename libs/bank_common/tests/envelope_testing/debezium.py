"""Records as Debezium writes them, made with fastavro from schemas like those that the Avro converter registers."""

import io
from collections.abc import Mapping
from typing import Any

import fastavro

DECIMAL = {
    "type": "bytes",
    "scale": 2,
    "precision": 18,
    "connect.version": 1,
    "connect.parameters": {"scale": "2", "connect.decimal.precision": "18"},
    "connect.name": "org.apache.kafka.connect.data.Decimal",
    "logicalType": "decimal",
}
INSTANT = {"type": "string", "connect.version": 1, "connect.name": "io.debezium.time.ZonedTimestamp"}

ACCOUNT_FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": {"type": "int", "connect.default": 0}, "default": 0},
    {"name": "customer_id", "type": "int"},
    {"name": "account_type", "type": "string"},
    {"name": "balance", "type": DECIMAL},
    {"name": "created_at", "type": ["null", INSTANT], "default": None},
]
NOTE_FIELD: dict[str, Any] = {"name": "note", "type": ["null", "string"], "default": None}

TRANSACTION: dict[str, Any] = {
    "type": "record",
    "name": "TransactionMetadataValue",
    "namespace": "io.debezium.connector.common",
    "fields": [
        {"name": "status", "type": "string"},
        {"name": "id", "type": "string"},
        {"name": "event_count", "type": ["null", "long"], "default": None},
        {
            "name": "data_collections",
            "type": [
                "null",
                {
                    "type": "array",
                    "items": [
                        "null",
                        {
                            "type": "record",
                            "name": "collection",
                            "namespace": "event",
                            "fields": [
                                {"name": "data_collection", "type": "string"},
                                {"name": "event_count", "type": "long"},
                            ],
                        },
                    ],
                },
            ],
            "default": None,
        },
        {"name": "ts_ms", "type": "long"},
    ],
}
NOTIFICATION: dict[str, Any] = {
    "type": "record",
    "name": "Notification",
    "namespace": "io.debezium.connector.common",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "type", "type": "string"},
        {"name": "aggregate_type", "type": "string"},
        {"name": "additional_data", "type": ["null", {"type": "map", "values": "string"}], "default": None},
        {"name": "timestamp", "type": "long"},
    ],
}


MONEY_TEXT: dict[str, Any] = {
    "type": "string",
    "connect.parameters": {
        "__debezium.source.column.type": "NUMERIC",
        "__debezium.source.column.length": "18",
        "__debezium.source.column.scale": "2",
    },
}


def envelope(
    fields: list[dict[str, Any]], namespace: str = "bank.public.accounts", *, marked: bool = False
) -> dict[str, Any]:
    """The envelope's schema of a table with these fields; `marked` as the connector's transform makes it."""
    schema = _envelope(fields, namespace)
    if marked:
        optional_text = ["null", "string"]
        schema["fields"] += [
            {"name": name, "type": optional_text, "default": None} for name in ("unavailable", "not_carried")
        ]
    return schema


def _envelope(fields: list[dict[str, Any]], namespace: str) -> dict[str, Any]:
    optional_long = ["null", "long"]
    return {
        "type": "record",
        "name": "Envelope",
        "namespace": namespace,
        "fields": [
            {
                "name": "before",
                "type": ["null", {"type": "record", "name": "Value", "fields": fields}],
                "default": None,
            },
            {"name": "after", "type": ["null", "Value"], "default": None},
            {
                "name": "source",
                "type": {
                    "type": "record",
                    "name": "Source",
                    "namespace": "io.debezium.connector.postgresql",
                    "fields": [
                        {"name": "version", "type": "string"},
                        {"name": "ts_ms", "type": "long"},
                        {
                            "name": "snapshot",
                            "type": [{"type": "string", "connect.name": "io.debezium.data.Enum"}, "null"],
                            "default": "false",
                        },
                        {"name": "ts_us", "type": optional_long, "default": None},
                        {"name": "txId", "type": optional_long, "default": None},
                        {"name": "lsn", "type": optional_long, "default": None},
                    ],
                },
            },
            {
                "name": "transaction",
                "type": [
                    "null",
                    {
                        "type": "record",
                        "name": "block",
                        "namespace": "event",
                        "fields": [
                            {"name": "id", "type": "string"},
                            {"name": "total_order", "type": "long"},
                            {"name": "data_collection_order", "type": "long"},
                        ],
                    },
                ],
                "default": None,
            },
            {"name": "op", "type": "string"},
            {"name": "ts_ms", "type": optional_long, "default": None},
        ],
    }


def key_schema(*fields: dict[str, Any], namespace: str = "bank.public.accounts") -> dict[str, Any]:
    """A key's schema; by default one integer `id`."""
    return {
        "type": "record",
        "name": "Key",
        "namespace": namespace,
        "fields": list(fields) or [{"name": "id", "type": {"type": "int", "connect.default": 0}, "default": 0}],
    }


def change(
    op: str, after: Mapping[str, Any] | None, *, lsn: int = 1000, tx_id: int = 7, order: int = 1, **source: Any
) -> dict[str, Any]:
    """One envelope."""
    return {
        "before": None,
        "after": after,
        "source": {
            "version": "3.7.0.Final",
            "ts_ms": 1_770_000_000_123,
            "snapshot": "false",
            "ts_us": 1_770_000_000_123_456,
            "txId": tx_id,
            "lsn": lsn,
            **source,
        },
        "transaction": {"id": f"{tx_id}:{lsn}", "total_order": order, "data_collection_order": order},
        "op": op,
        "ts_ms": 1_770_000_000_200,
    }


def avro(schema: Mapping[str, Any], value: Any) -> bytes:
    """A bare Avro body."""
    target = io.BytesIO()
    fastavro.schemaless_writer(target, fastavro.parse_schema(dict(schema)), value)
    return target.getvalue()


def framed(schema_id: int, schema: Mapping[str, Any], value: Any) -> bytes:
    """A record in the Confluent wire format."""
    return b"\x00" + schema_id.to_bytes(4, "big") + avro(schema, value)
