"""The steps of `bank provision`: each creates what the pipeline needs in one component. All are idempotent."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg

from bank_common import names
from bankctl.model.connector_config import REPLICATION_USER, excluded_columns
from bankctl.model.graph import start_order
from bankctl.model.notification_targets import WEBHOOK_ARNS
from bankctl.model.raw_ddl import column_type
from bankctl.provision import buckets as landing_buckets
from bankctl.provision import catalogue, migrations, registry, warehouse_objects
from bankctl.provision import connector as debezium
from bankctl.provision import topics as kafka_topics
from bankctl.provision.connect_api import ConnectApi
from bankctl.provision.databases import create_bank_database, create_platform_databases
from bankctl.stack.identities import CONSUMER_STORE_USER, LOADER_STORE_USER, STORE_PASSWORDS
from bankctl.stack.stack import Stack

BANK_ROLES: Final = ("bank_app", REPLICATION_USER, "bank_reader")


def migrations_folder(root: Path) -> Path:
    """The folder of the bank's migrations."""
    return root / "infra" / "postgres" / "migrations"


def connector_file(root: Path) -> Path:
    """The file of the rendered connector."""
    return root / "infra" / "kafka" / "connector.json"


def warehouse_folder(root: Path) -> Path:
    """The folder of the warehouse's SQL."""
    return root / "infra" / "warehouse"


def migrate(stack: Stack) -> None:
    """The bank's database, its tables, roles with their passwords, heartbeat and publication."""
    create_bank_database(stack)
    dsn = stack.dsn("bank")
    excluded = excluded_columns(debezium.read_config(connector_file(stack.root)))
    migrations.migrate(dsn, migrations_folder(stack.root), check=partial(refuse_what_has_no_place, excluded=excluded))
    migrations.set_passwords(dsn, [(role, stack.secret(f"{role}_password")) for role in BANK_ROLES])


def refuse_what_has_no_place(connection: psycopg.Connection, *, excluded: Collection[str] = ()) -> None:
    """Check the captured tables as this transaction sees them: every column has its place in the warehouse.

    Past this point a column that has none stops capture, or everything behind it, and the bank's log piles up.

    Raises:
        RawDdlError: names the column, and the way past.
    """
    for table in names.TABLES:
        for column in catalogue.columns(connection, names.SOURCE_SCHEMA, table.name, excluded=excluded):
            column_type(table.name, column)


def topics(stack: Stack) -> None:
    """Every topic, with its partitions and retention."""
    kafka_topics.ensure(stack.bootstrap_servers, kafka_topics.required())


def registry_rules(stack: Stack) -> None:
    """The registry takes every schema that the connector registers."""
    registry.ensure_compatibility(stack.url("registry"))


def buckets(stack: Stack) -> None:
    """The landing bucket, its users with the least they need, and the notification of new segments."""
    store = landing_buckets.StoreAdmin(
        stack.address("minio"), stack.secret("minio_root_user"), stack.secret("minio_root_password")
    )
    users = (
        landing_buckets.consumer_user(CONSUMER_STORE_USER, stack.secret(STORE_PASSWORDS[CONSUMER_STORE_USER])),
        landing_buckets.loader_user(LOADER_STORE_USER, stack.secret(STORE_PASSWORDS[LOADER_STORE_USER])),
    )
    landing_buckets.ensure(store, users, WEBHOOK_ARNS)


def raw_tables(stack: Stack) -> None:
    """The warehouse's schemas, stage, ledgers, RAW tables, roles and grants."""
    connection: Any = stack.connect_warehouse()
    try:
        warehouse_objects.ensure(connection, warehouse_folder(stack.root))
    finally:
        connection.close()


def connector(stack: Stack) -> None:
    """The connector runs with its rendered configuration."""
    with ConnectApi(stack.url("connect")) as api:
        debezium.apply(api, names.CONNECTOR, debezium.read_config(connector_file(stack.root)))


_FUNCTIONS: Final[dict[str, Callable[[Stack], None]]] = {
    "platform-databases": create_platform_databases,
    "migrate": migrate,
    "topics": topics,
    "registry-rules": registry_rules,
    "buckets": buckets,
    "raw-tables": raw_tables,
    "connector": connector,
}
STEPS: Final = {name: _FUNCTIONS[name] for name in start_order() if name in _FUNCTIONS}
"""Step -> its function, in the order of the graph."""
