"""The object store and the warehouse that `bank up` started; a session has its own database, a test its own bucket."""

import os
import shlex
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import obstore
import pytest
import snowflake.connector
from obstore.store import S3Store

from bank_common import names
from bank_common.clients.snowflake import connection_arguments
from bank_common.runtime.settings import ObjectStoreSettings, SnowflakeSettings
from bank_dags.settings import snowflake_settings
from loading_testing.segments import Made

ROOT = Path(__file__).resolve().parents[4]
WAREHOUSE_SQL = ROOT / "infra" / "warehouse"
LOAD_SQL = WAREHOUSE_SQL / "sql" / "02_load.sql"


@dataclass(frozen=True)
class Stack:
    """The environment of the running stack with a database of this session, and its administrator's connection."""

    environment: dict[str, str]
    session: snowflake.connector.SnowflakeConnection
    authorities: Path
    """PEM: the authorities whose certificates a client may trust, the stack's own among them."""

    @property
    def tls_port(self) -> int:
        """The warehouse over TLS, beside SNOWFLAKE_PORT."""
        shift = int(self.environment["SNOWFLAKE_PORT"]) - names.PORTS["snowflake"]
        return names.PORTS["snowflake_tls"] + shift


@dataclass(frozen=True)
class Sandbox:
    """The bucket and the database of a test."""

    environment: dict[str, str]
    session: snowflake.connector.SnowflakeConnection

    @property
    def bucket(self) -> str:
        """The landing."""
        return self.environment["BANK_DAGS_BUCKET"]

    @property
    def store_settings(self) -> ObjectStoreSettings:
        """The settings to reach it."""
        prefix = "BANK_DAGS_STORE__"
        variables = {
            name.removeprefix(prefix).lower(): value for name, value in self.environment.items() if prefix in name
        }
        return ObjectStoreSettings.model_validate(variables)

    @property
    def loader(self) -> SnowflakeSettings:
        """The loader's login to this test's database."""
        return snowflake_settings(self.environment)

    @cached_property
    def store(self) -> S3Store:
        """The bucket, with every right."""
        return S3Store(
            self.bucket,
            endpoint=self.store_settings.endpoint,
            access_key_id=self.store_settings.access_key.get_secret_value(),
            secret_access_key=self.store_settings.secret_key.get_secret_value(),
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def land(self, *segments: Made) -> None:
        """Put segments into the landing as the consumer does: create-only, one request."""
        for made in segments:
            obstore.put(
                self.store,
                str(made.key),
                made.body,
                attributes=made.metadata.to_headers(),
                mode="create",
                use_multipart=False,
            )

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a statement, as committed."""
        with self.session.cursor() as cursor:
            return [tuple(row) for row in cursor.execute(statement).fetchall()]

    def provision(self) -> None:
        """Run what `bank provision` runs for the load: every statement may be run again."""
        _run_file(self.session, LOAD_SQL)

    def loaded_offsets(self) -> list[tuple[str, int, int]]:
        """(topic, partition, offset) of every row in RAW, sorted; a row that is there twice shows twice."""
        tables = names.RAW_TABLE_BY_TOPIC.values()
        parts = (f"SELECT _CDC_TOPIC, _CDC_PARTITION, _CDC_OFFSET FROM RAW.{table}" for table in tables)
        return sorted(tuple(row) for row in self.query(" UNION ALL ".join(parts)))

    def ledger(self) -> list[tuple[Any, ...]]:
        """(segment, start, end, rows, load id, changes marts, status) in order of the segment."""
        return self.query(
            "SELECT SEGMENT, START_OFFSET, END_OFFSET, ROW_COUNT, LOAD_ID, CHANGES_MARTS, STATUS "
            "FROM RAW.LOAD_LEDGER ORDER BY SEGMENT"
        )

    def fence(self) -> int:
        """The fence's value."""
        ((value,),) = self.query("SELECT LOAD_ID FROM RAW.LOAD_FENCE")
        return int(value)

    def staged(self) -> list[str]:
        """Names of files on the stage."""
        return [row[0] for row in self.query("LIST @RAW.LANDING")]


@contextmanager
def stack() -> Iterator[Stack]:
    """A database of this session's own with the tables of infra/warehouse."""
    state = Path(os.environ.get("BANKCTL_STATE_DIR") or ROOT / ".local" / "test")
    file = state / "env" / "airflow.env"
    if not file.exists():
        pytest.fail(f"there is no {file}: run `make contract`, or `bank up --only minio,snowflake`", pytrace=False)
    rendered = dict(line.split("=", 1) for line in shlex.split(file.read_text(), comments=True))
    secrets = state / "secrets"
    environment = {key: value for key, value in rendered.items() if key.startswith(("BANK_DAGS_", "SNOWFLAKE_"))} | {
        "BANK_DAGS_STORE__ACCESS_KEY": (secrets / "minio_root_user").read_text(),
        "BANK_DAGS_STORE__SECRET_KEY": (secrets / "minio_root_password").read_text(),
        "SNOWFLAKE_DATABASE": f"T_{uuid.uuid4().hex[:12].upper()}",
    }
    key = secrets / f"{names.ADMIN_USER.lower()}.pem"
    admin = snowflake_settings(
        environment
        | {
            "SNOWFLAKE_USER": names.ADMIN_USER,
            "SNOWFLAKE_ROLE": "ACCOUNTADMIN",
            "SNOWFLAKE_PRIVATE_KEY_FILE": str(key),
        }
    )
    _create_database(admin)
    with _session(admin) as session:
        try:
            yield Stack(environment, session, secrets / "ca-bundle.pem")
        finally:
            session.cursor().execute(f"DROP SCHEMA IF EXISTS {admin.database}.RAW CASCADE")


@contextmanager
def sandbox(running: Stack) -> Iterator[Sandbox]:
    """A bucket of this test's own, and the session's database without a row; the bucket is removed afterwards."""
    bucket = f"t-{uuid.uuid4().hex[:12]}"
    made = Sandbox(running.environment | {"BANK_DAGS_BUCKET": bucket}, running.session)
    client = _bucket(made)
    with running.session.cursor() as cursor:
        for table in (*names.RAW_TABLE_BY_TOPIC.values(), "LOAD_LEDGER", "LOAD_TAILS", "BUILD_LEDGER"):
            cursor.execute(f"DELETE FROM RAW.{table}")
        cursor.execute("UPDATE RAW.LOAD_FENCE SET LOAD_ID = 0")
        cursor.execute("REMOVE @RAW.LANDING")
    try:
        yield made
    finally:
        for page in obstore.list(made.store):
            for entry in page:
                obstore.delete(made.store, entry["path"])
        client.remove_bucket(made.bucket)


def _bucket(made: Sandbox) -> Any:
    from minio import Minio

    client = Minio(
        made.store_settings.endpoint.removeprefix("http://"),
        access_key=made.store_settings.access_key.get_secret_value(),
        secret_key=made.store_settings.secret_key.get_secret_value(),
        secure=False,
        region="us-east-1",
    )
    client.make_bucket(made.bucket)
    return client


def _create_database(admin: SnowflakeSettings) -> None:
    with _session(admin, database=None) as connection:
        connection.cursor().execute(f"CREATE DATABASE {admin.database}")
        connection.cursor().execute(f"CREATE SCHEMA {admin.database}.RAW")
    with _session(admin) as connection:
        for path in (LOAD_SQL, *sorted((WAREHOUSE_SQL / "raw").glob("*.sql"))):
            _run_file(connection, path)


def _run_file(connection: snowflake.connector.SnowflakeConnection, path: Path) -> None:
    creates = path.read_text().split("-- For a table that was made before")[0]
    for cursor in connection.execute_string(creates, remove_comments=True):
        cursor.close()


@contextmanager
def _session(settings: SnowflakeSettings, **overrides: Any) -> Iterator[snowflake.connector.SnowflakeConnection]:
    connection = snowflake.connector.connect(**(connection_arguments(settings) | overrides))
    try:
        yield connection
    finally:
        connection.close()
