"""Renders `infra/kafka/connector.json`: what is captured, and how.

The file is what is sent to Kafka Connect, as it stands, on every installation. What differs between installations,
and every secret, is a `${env:…}` reference that the Connect worker resolves from its own environment
(`EnvVarConfigProvider`, limited to `WORKER_VARIABLES`), so that `GET /connectors` never shows a password.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

from bankctl.model.platform_file import Platform

WORKER_PREFIX: Final = "BANK_CONNECT_"
POSTGRES_HOST: Final = f"{WORKER_PREFIX}POSTGRES_HOST"
POSTGRES_PORT: Final = f"{WORKER_PREFIX}POSTGRES_PORT"
POSTGRES_PASSWORD: Final = f"{WORKER_PREFIX}POSTGRES_PASSWORD"
REGISTRY_URL: Final = f"{WORKER_PREFIX}REGISTRY_URL"
PLACEHOLDER: Final = f"{WORKER_PREFIX}UNAVAILABLE_PLACEHOLDER"
WORKER_VARIABLES: Final = (POSTGRES_HOST, POSTGRES_PORT, POSTGRES_PASSWORD, REGISTRY_URL, PLACEHOLDER)
"""What the Connect worker's environment has to hold; the registry's URL ends in /apis/registry/v2."""

REPLICATION_USER: Final = "bank_replication"
MESSAGE_PREFIXES: Final = ("traceparent", "actor")
"""The logical messages that are read; another program's may be of any size and number."""
EXCLUDED_COLUMNS: Final = "column.exclude.list"
MAX_REQUEST_BYTES: Final = 16 * 1024 * 1024
"""The largest record; a warehouse's text ends there too."""
_MAX_ROW_BYTES: Final = 15 * 1024 * 1024
_QUEUE_BYTES: Final = 64 * 1024 * 1024


def render(platform: Platform) -> str:
    """The file's text: one JSON object of strings."""
    return json.dumps(config(platform), indent=2) + "\n"


def config(platform: Platform) -> dict[str, str]:
    """The connector's configuration (Debezium 3.7, PostgreSQL connector)."""
    capture = platform.capture
    tables = ",".join(f"{capture.schema_name}.{table.name}" for table in platform.tables)
    heartbeat = f"{capture.schema_name}.{capture.heartbeat_table}"
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": _env(POSTGRES_HOST),
        "database.port": _env(POSTGRES_PORT),
        "database.user": REPLICATION_USER,
        "database.password": _env(POSTGRES_PASSWORD),
        "database.dbname": capture.database,
        "topic.prefix": capture.topic_prefix,
        "plugin.name": "pgoutput",
        "slot.name": capture.slot,
        "slot.drop.on.stop": "false",
        "publication.name": capture.publication,
        "publication.autocreate.mode": "disabled",
        # The heartbeat's table is published but not captured: its transactions move the position and land as no row.
        "table.include.list": tables,
        **_excluded(platform),
        "snapshot.mode": "initial",
        # The offsets in Kafka are the truth: a slot that is ahead of them has lost changes, and the task fails.
        "offset.mismatch.strategy": "trust_offset",
        "event.processing.failure.handling.mode": "fail",
        # Text, with precision and scale beside it: the one form that knows a number that is none.
        "decimal.handling.mode": "string",
        "datatype.propagate.source.type": r".+\.numeric,.+\.money",
        "time.precision.mode": "adaptive",
        # Nobody can write into the bank what nobody knows; the transform takes it out again.
        "unavailable.value.placeholder": _env(PLACEHOLDER),
        "message.prefix.include.list": ",".join(MESSAGE_PREFIXES),
        "tombstones.on.delete": "false",
        "skipped.operations": "none",
        "provide.transaction.metadata": "true",
        "extended.headers.enabled": "false",
        "schema.name.adjustment.mode": "avro",
        "field.name.adjustment.mode": "avro",
        "heartbeat.interval.ms": str(capture.heartbeat_seconds * 1000),
        "heartbeat.action.query": f"UPDATE {heartbeat} SET beat_at = clock_timestamp() WHERE id = 1",  # noqa: S608 - a closed set
        "notification.enabled.channels": "sink",
        "notification.sink.topic.name": platform.topics.notifications,
        "exactly.once.support": "required",
        "transaction.boundary": "poll",
        # At 10 ms a task with nothing to do took 7 % of a core, and a slow stream was committed change by change.
        "poll.interval.ms": "100",
        "max.batch.size": "8192",
        "max.queue.size": "32768",
        "max.queue.size.in.bytes": str(_QUEUE_BYTES),
        "status.update.interval.ms": "1000",
        "producer.override.max.request.size": str(MAX_REQUEST_BYTES),
        "producer.override.linger.ms": "5",
        "producer.override.compression.type": "lz4",
        "producer.override.batch.size": "131072",
        "transforms": "envelope",
        "transforms.envelope.type": "bank.connect.ChangeEnvelope",
        "transforms.envelope.placeholder": _env(PLACEHOLDER),
        "transforms.envelope.max.bytes": str(_MAX_ROW_BYTES),
        **_converter("key"),
        **_converter("value"),
    }


def _excluded(platform: Platform) -> dict[str, str]:
    schema = platform.capture.schema_name
    columns = [f"{schema}.{table.name}.{column}" for table in platform.tables for column in table.excluded]
    # The list is of regular expressions.
    return {EXCLUDED_COLUMNS: ",".join(map(re.escape, columns))} if columns else {}


def excluded_columns(config: Mapping[str, str]) -> frozenset[str]:
    """The columns, as `schema.table.column`, that a connector with this configuration leaves at the source."""
    return frozenset(
        re.sub(r"\\(.)", r"\1", column) for column in config.get(EXCLUDED_COLUMNS, "").split(",") if column
    )


def _converter(side: str) -> dict[str, str]:
    """Avro in the Confluent wire format: magic byte, then the 4-byte content id, no headers."""
    prefix = f"{side}.converter"
    return {
        prefix: "io.apicurio.registry.utils.converter.AvroConverter",
        f"{prefix}.apicurio.registry.url": _env(REGISTRY_URL),
        f"{prefix}.apicurio.registry.auto-register": "true",
        f"{prefix}.apicurio.registry.find-latest": "false",
        f"{prefix}.apicurio.registry.as-confluent": "true",
        f"{prefix}.apicurio.registry.use-id": "contentId",
        f"{prefix}.apicurio.registry.headers.enabled": "false",
        # A schema's id never changes. Without this a registry that is away when the cache looks again, every 30 s, ends
        # the task for good.
        f"{prefix}.apicurio.registry.fault-tolerant-refresh": "true",
    }


def _env(variable: str) -> str:
    return f"${{env:{variable}}}"
