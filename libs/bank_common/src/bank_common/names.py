"""Names that every part of the pipeline shares. Rendered from infra/platform.toml by `bank render`; do not edit."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CapturedTable:
    """One captured table: its name at the source, its topic, that topic's partitions and its RAW table."""

    name: str
    qualified_name: str
    topic: str
    partitions: int
    raw_table: str


TOPIC_PREFIX: Final = "bank"
DATABASE: Final = "bank"
SOURCE_SCHEMA: Final = "public"
SLOT: Final = "bank_cdc"
PUBLICATION: Final = "bank_cdc"
HEARTBEAT_TABLE: Final = "cdc_heartbeat"
CONNECTOR: Final = "bank-postgres"
HEARTBEAT_SECONDS: Final = 10

TABLES: Final = (
    CapturedTable("customers", "public.customers", "bank.public.customers", 3, "CUSTOMERS"),
    CapturedTable("accounts", "public.accounts", "bank.public.accounts", 3, "ACCOUNTS"),
    CapturedTable("transactions", "public.transactions", "bank.public.transactions", 3, "TRANSACTIONS"),
)

TRANSACTION_TOPIC: Final = "bank.transaction"
NOTIFICATIONS_TOPIC: Final = "bank.notifications"
MESSAGE_TOPIC: Final = "bank.message"
HEARTBEAT_TOPIC: Final = "__debezium-heartbeat.bank"
HEARTBEAT_TABLE_TOPIC: Final = "bank.public.cdc_heartbeat"
DEAD_LETTERS_TOPIC: Final = "bank.dead-letters"

BUCKET: Final = "bank-landing"
CONSUMER_GROUP: Final = "cdc-consumer"

WAREHOUSE_DATABASE: Final = "BANK"
RAW_SCHEMA: Final = "RAW"
STAGE: Final = "LANDING"
LOADER_USER: Final = "BANK_LOADER"
LOADER_ROLE: Final = "BANK_LOADER"
TRANSFORMER_USER: Final = "BANK_DBT"
TRANSFORMER_ROLE: Final = "BANK_TRANSFORMER"
ADMIN_USER: Final = "BANK_ADMIN"
WAREHOUSE: Final = "BANK_WH"
SOURCE_TRANSACTIONS: Final = "SOURCE_TRANSACTIONS"
SOURCE_NOTIFICATIONS: Final = "SOURCE_NOTIFICATIONS"

LOAD_DAG: Final = "load_raw"
BUILD_DAG: Final = "build_marts"
RAW_ASSET: Final = "bank-raw"

PORTS: Final = {
    "bank_postgres": 15432,
    "platform_postgres": 15433,
    "kafka": 19092,
    "kafka_controller": 19093,
    "registry": 18081,
    "registry_management": 18082,
    "connect": 8083,
    "minio": 9000,
    "minio_console": 9001,
    "snowflake": 18800,
    "snowflake_tls": 18843,
    "airflow": 8080,
    "event_receiver": 18100,
    "generator": 18101,
    "cdc_consumer": 18102,
}

RAW_TABLE_BY_TOPIC: Final = {
    **{table.topic: table.raw_table for table in TABLES},
    TRANSACTION_TOPIC: SOURCE_TRANSACTIONS,
    NOTIFICATIONS_TOPIC: SOURCE_NOTIFICATIONS,
}
"""Every landed topic, and the RAW table that its segments are loaded into."""
