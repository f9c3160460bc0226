"""Drives the native stack as an operator does: by the `bank` command, by signals to recorded processes, by HTTP."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psutil
import psycopg
import snowflake.connector

from bankctl.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


class NativeStack:
    """The running test stack; where it lives comes from BANKCTL_STATE_DIR and BANKCTL_PORT_OFFSET."""

    def __init__(self) -> None:
        for name in ("BANKCTL_STATE_DIR", "BANKCTL_PORT_OFFSET"):
            if name not in os.environ:
                raise RuntimeError(f"{name} is not set: run the suite with `make e2e`")
        self.stack = Stack.from_environment()
        self._warehouse: snowflake.connector.SnowflakeConnection | None = None

    # -- the bank command --------------------------------------------------------------------------------------

    def bank(self, *arguments: str, check: bool = True) -> str:
        """Run `bank …` and give its standard output; with `check`, a non-zero exit fails the test with its output."""
        done = subprocess.run(
            [sys.executable, "-m", "bankctl", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(
                f"bank {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done.stdout

    def status(self) -> dict[str, Any]:
        """`bank status --json`."""
        return json.loads(self.bank("status", "--json", check=False))

    def generate(self, *arguments: str) -> dict[str, Any]:
        """One seeded run of the generator against the bank; its `--json` summary."""
        with self.generating(*arguments) as run:
            output, _ = run.communicate(timeout=240)
        assert run.returncode == 0, f"the generator ended with {run.returncode}"
        return json.loads(output.splitlines()[-1])

    @contextmanager
    def generating(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """The generator at work in the background, stopped at the end."""
        command = [sys.executable, "-m", "generator", "run", "--once", "--json", *arguments]
        environment = os.environ | self.environment("generator")
        run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            yield run
        finally:
            if run.poll() is None:
                run.terminate()
                run.wait(20)

    def environment(self, program: str) -> dict[str, str]:
        """The rendered environment of one program."""
        lines = (self.stack.state_dir / "env" / f"{program}.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    # -- processes ---------------------------------------------------------------------------------------------

    def process(self, component: str) -> psutil.Process:
        """The recorded process of a component."""
        record = json.loads((self.stack.state_dir / "run" / f"{component}.json").read_text())
        return psutil.Process(record["pid"])

    def kill(self, component: str) -> None:
        """SIGKILL a component, and wait until it is gone."""
        process = self.process(component)
        process.send_signal(signal.SIGKILL)
        process.wait(20)

    def children(self, component: str, *words: str, without: str) -> list[psutil.Process]:
        """Running descendants of a component whose command line holds all the words and not the other text."""
        found: list[psutil.Process] = []
        for child in self.process(component).children(recursive=True):
            try:
                line = " ".join(child.cmdline())
                if without not in line and all(word in line for word in words):
                    found.append(child)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    # -- connections -------------------------------------------------------------------------------------------

    @property
    def bootstrap_servers(self) -> str:
        """Where Kafka is."""
        return f"127.0.0.1:{self.stack.port('kafka')}"

    @contextmanager
    def postgres(self, *, role: str = "bank_app", autocommit: bool = True) -> Iterator[psycopg.Connection[Any]]:
        """A connection to the bank's database."""
        with psycopg.connect(self.stack.dsn("bank", role=role), autocommit=autocommit) as connection:
            yield connection

    def bank_rows(self, sql: LiteralString) -> list[tuple[Any, ...]]:
        """Rows of the bank's database."""
        with self.postgres(role="bank_reader") as connection:
            return connection.execute(sql).fetchall()

    @property
    def warehouse(self) -> snowflake.connector.SnowflakeConnection:
        """A connection to the warehouse as the user that may read everything; made anew when it was closed."""
        connection = self._warehouse
        if connection is None or connection.is_closed():
            connection = self._warehouse = self.stack.connect_warehouse()
        return connection

    def rows(self, sql: str, *binds: Any) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        return list(self.warehouse.cursor().execute(sql, binds or None))  # type: ignore[arg-type]

    def number(self, sql: str, *binds: Any) -> int:
        """The one number that a query of the warehouse gives."""
        return int(self.rows(sql, *binds)[0][0])

    # -- Airflow -----------------------------------------------------------------------------------------------

    def dag_runs(self, dag: str) -> list[dict[str, Any]]:
        """All runs of a DAG, as the REST API v2 shows them."""
        base = self.stack.url("airflow")
        login = {"username": "admin", "password": self.stack.secret("airflow_admin_password")}
        with httpx.Client(base_url=base, timeout=20) as client:
            token = client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
            answer = client.get(
                f"/api/v2/dags/{dag}/dagRuns",
                params={"limit": 1000, "order_by": "-run_after"},
                headers={"Authorization": f"Bearer {token}"},
            )
            return answer.raise_for_status().json()["dag_runs"]

    def active_builds(self) -> list[dict[str, Any]]:
        """The builds of the marts that are queued or running."""
        return [run for run in self.dag_runs("build_marts") if run["state"] in ("queued", "running")]
