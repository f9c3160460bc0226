"""Renders `bank_common/names.py` from platform.toml."""

from bankctl.model.platform_file import Platform

_TEMPLATE = '''\
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


{capture}

TABLES: Final = (
{tables}
)

{topics}

{landing}

{warehouse}
SOURCE_TRANSACTIONS: Final = "SOURCE_TRANSACTIONS"
SOURCE_NOTIFICATIONS: Final = "SOURCE_NOTIFICATIONS"

{airflow}

PORTS: Final = {{
{ports}
}}

RAW_TABLE_BY_TOPIC: Final = {{
    **{{table.topic: table.raw_table for table in TABLES}},
    TRANSACTION_TOPIC: SOURCE_TRANSACTIONS,
    NOTIFICATIONS_TOPIC: SOURCE_NOTIFICATIONS,
}}
"""Every landed topic, and the RAW table that its segments are loaded into."""
'''


def render(platform: Platform) -> str:
    """The module's text, formatted as ruff would."""
    capture, landing, warehouse, airflow = platform.capture, platform.landing, platform.warehouse, platform.airflow
    return _TEMPLATE.format(
        capture=_constants(
            TOPIC_PREFIX=capture.topic_prefix,
            DATABASE=capture.database,
            SOURCE_SCHEMA=capture.schema_name,
            SLOT=capture.slot,
            PUBLICATION=capture.publication,
            HEARTBEAT_TABLE=capture.heartbeat_table,
            CONNECTOR=capture.connector,
            HEARTBEAT_SECONDS=capture.heartbeat_seconds,
        ),
        tables="\n".join(_table(platform, table.name, table.partitions) for table in platform.tables),
        topics=_constants(**{f"{name.upper()}_TOPIC": topic for name, topic in platform.topics}),
        landing=_constants(
            BUCKET=landing.bucket,
            CONSUMER_GROUP=landing.consumer_group,
        ),
        warehouse=_constants(
            WAREHOUSE_DATABASE=warehouse.database,
            RAW_SCHEMA=warehouse.raw_schema,
            STAGE=warehouse.stage,
            LOADER_USER=warehouse.loader_user,
            LOADER_ROLE=warehouse.loader_role,
            TRANSFORMER_USER=warehouse.transformer_user,
            TRANSFORMER_ROLE=warehouse.transformer_role,
            ADMIN_USER=warehouse.admin_user,
            WAREHOUSE=warehouse.warehouse,
        ),
        airflow=_constants(LOAD_DAG=airflow.load_dag, BUILD_DAG=airflow.build_dag, RAW_ASSET=airflow.raw_asset),
        ports="\n".join(f'    "{name}": {port},' for name, port in platform.ports.items()),
    )


def _constants(**values: str | int) -> str:
    return "\n".join(f"{name}: Final = {_literal(value)}" for name, value in values.items())


def _literal(value: str | int) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:_}"


def _table(platform: Platform, name: str, partitions: int) -> str:
    qualified = f"{platform.capture.schema_name}.{name}"
    topic = f"{platform.capture.topic_prefix}.{qualified}"
    return f'    CapturedTable("{name}", "{qualified}", "{topic}", {partitions}, "{name.upper()}"),'
