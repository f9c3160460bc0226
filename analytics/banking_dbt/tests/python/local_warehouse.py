"""A local warehouse in a process of its own, its RAW tables made by the project's own SQL, and dbt on top of it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dbt.cli.main import dbtRunner

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = ROOT / "infra" / "snowflake-local" / ".venv" / "bin" / "snowflake-local"
BUILD = ("build", "--exclude-resource-type", "unit_test")


@dataclass(frozen=True)
class Outcome:
    """Whether a dbt command succeeded, and all that it said."""

    success: bool
    output: str


class LocalWarehouse:
    """`snowflake-local serve` with one user, and RAW in it."""

    def __init__(self, folder: Path, root: Path = ROOT) -> None:
        """`root` is the checkout whose RAW tables and dbt project are used."""
        self.folder, self.root = folder, root
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        self.key_file = folder / "key.pem"
        self.key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        public = folder / "key.pub.pem"
        public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
        (folder / "users.json").write_text(f'{{"T": {{"public_key_file": "{public}", "role": "ACCOUNTADMIN"}}}}')
        assert PROGRAM.exists(), "make setup-all makes the local warehouse's environment"
        options = ["--data-dir", folder / "data", "--port", self.port, "--users-file", folder / "users.json"]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen([str(PROGRAM), "serve", *map(str, options)], stdout=log, stderr=log)
        self._await_ready()
        self.connection = self.connect()
        self._make_raw()
        self.fence = self.hold_fence(1, "tests")

    def _await_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the warehouse was not ready within 60 s")

    def _make_raw(self) -> None:
        folder = self.root / "infra" / "warehouse"
        for file in [
            folder / "sql" / "01_database.sql",
            folder / "sql" / "02_load.sql",
            *sorted((folder / "raw").glob("*.sql")),
        ]:
            for _ in self.connection.execute_string(file.read_text(), remove_comments=True):
                pass
            self.connection.cursor().execute("use database BANK")

    def connect(self) -> snowflake.connector.SnowflakeConnection:
        return snowflake.connector.connect(
            account="local",
            user="T",
            authenticator="SNOWFLAKE_JWT",
            private_key_file=str(self.key_file),
            host="127.0.0.1",
            port=self.port,
            protocol="http",
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall()

    def insert(self, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        if rows:
            marks = ", ".join(["%s"] * len(columns))
            statement = f"insert into BANK.RAW.{table} ({', '.join(columns)}) values ({marks})"
            self.connection.cursor().executemany(statement, rows)

    # -- dbt ---------------------------------------------------------------------------------------------------

    def start_dbt(self, *arguments: str) -> subprocess.Popen[str]:
        """dbt as a process of its own, as Airflow runs it: to kill it, or to act while it builds."""
        foreign = ("SNOWFLAKE_", "DBT_", "BANK_BUILD_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        environment |= self._variables()
        command = [sys.executable, "-m", "dbt.cli.main", *arguments, *self._folders()]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def dbt(self, *arguments: str) -> Outcome:
        """dbt in this process, which saves its start."""
        messages: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("SNOWFLAKE_", "DBT_", "BANK_BUILD_"))]:
                patch.delenv(name)
            for name, value in self._variables().items():
                patch.setenv(name, value)
            runner = dbtRunner(callbacks=[lambda event: messages.append(event.info.msg)])
            result = runner.invoke([*arguments, *self._folders()])
        told = f"{result.exception}\n" if result.exception else ""
        return Outcome(result.success, told + "\n".join(messages))

    def build(self) -> None:
        outcome = self.dbt(*BUILD)
        assert outcome.success, outcome.output[-4000:]

    def hold_fence(self, number: int, owner: str) -> dict[str, str]:
        """Own the build fence, as the door for builds does (bank_dags.build); gives what dbt compares."""
        self.query(
            f"update BANK.RAW.BUILD_FENCE set BUILD_NUMBER = {number}, OWNER = '{owner}', SESSIONS = ',', "
            "STARTED_AT = current_timestamp(), HEARTBEAT_AT = current_timestamp(), ENDED_AT = null where ID = 1"
        )
        return {"BANK_BUILD_NUMBER": str(number), "BANK_BUILD_OWNER": owner}

    def _variables(self) -> dict[str, str]:
        return {
            "SNOWFLAKE_ACCOUNT": "local",
            "SNOWFLAKE_USER": "T",
            "SNOWFLAKE_PRIVATE_KEY_FILE": str(self.key_file),
            "SNOWFLAKE_ROLE": "ACCOUNTADMIN",
            "SNOWFLAKE_WAREHOUSE": "WH",
            "SNOWFLAKE_HOST": "127.0.0.1",
            "SNOWFLAKE_PORT": str(self.port),
            "SNOWFLAKE_PROTOCOL": "http",
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "dbt-log"),
            **self.fence,
        }

    def _folders(self) -> list[str]:
        project = str(self.root / "analytics" / "banking_dbt")
        return ["--project-dir", project, "--profiles-dir", project]

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait(20)
