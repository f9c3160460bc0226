"""The stack driver, whichever way the components run: faults, the `bank` command, and connections."""

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psutil
import psycopg
import snowflake.connector

from bankctl.stack.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


class StackDriver(ABC):
    """A running test stack on the loopback address; where it lives comes from BANKCTL_STATE_DIR and _PORT_OFFSET."""

    promised_bytes: int
    """Memory that the whole stack may take."""

    def __init__(self, shell: Mapping[str, str] | None = None) -> None:
        """`shell`: what else is in the environment of the shell that `bank` is called from."""
        self._shell = os.environ | (shell or {})
        for name in ("BANKCTL_STATE_DIR", "BANKCTL_PORT_OFFSET"):
            if name not in os.environ:
                raise RuntimeError(f"{name} is not set: run the suite with `make e2e` or `make test-containers`")
        self.stack = Stack.from_environment()
        self._warehouse: snowflake.connector.SnowflakeConnection | None = None

    # -- components --------------------------------------------------------------------------------------------

    @abstractmethod
    def up(self) -> None:
        """Start everything and wait until it is ready."""

    @abstractmethod
    def kill(self, component: str) -> None:
        """SIGKILL a component, and wait until it is gone."""

    @abstractmethod
    def revive(self, component: str) -> None:
        """Start a killed component again, and wait until it is ready."""

    @abstractmethod
    def health(self) -> dict[str, bool]:
        """Every component that should run, and whether it is healthy."""

    @abstractmethod
    def memory_bytes(self) -> int:
        """Memory of the whole stack."""

    @abstractmethod
    def kill_descendant(self, component: str, *words: str, without: str = "", seconds: float) -> None:
        """SIGKILL the first process below a component whose command line and name hold all words and not `without`.

        Raises:
            AssertionError: none showed in time.
        """

    @abstractmethod
    def process(self, component: str) -> psutil.Process:
        """The component's own process, which is one of this machine's: containers need an engine on it."""

    @abstractmethod
    def watched(self) -> AbstractContextManager[None]:
        """Whatever brings back what dies, for the time of the context, with no hand."""

    def descendants(self, component: str, *words: str, without: str = "") -> list[psutil.Process]:
        """The living processes below a component whose command line or name holds all words, and not `without`."""
        return [child for child in self.process(component).children(recursive=True) if _named(child, words, without)]

    @contextmanager
    def frozen(self, process: psutil.Process) -> Iterator[None]:
        """SIGSTOP now, SIGCONT at the end if it is still there."""
        process.suspend()
        try:
            yield
        finally:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    @abstractmethod
    def task_logged(self, dag: str, event: str) -> bool:
        """Tell whether a task's own log of this DAG holds the event's name."""

    @abstractmethod
    def generating(self, *arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
        """The generator at work in the background, stopped at the end."""

    # -- the bank command --------------------------------------------------------------------------------------

    def bank(self, *arguments: str, check: bool = True) -> str:
        """Run `bank …` and give its standard output; with `check`, a non-zero exit fails the test with its output."""
        done = self.run(*arguments)
        if check and done.returncode:
            raise AssertionError(
                f"bank {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done.stdout

    def status(self) -> tuple[int, str]:
        """`bank status --json`: its exit code and its output."""
        done = self.run("status", "--json")
        return done.returncode, done.stdout

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `bank …`: its exit code, and what it said on either stream."""
        return subprocess.run(
            [sys.executable, "-m", "bankctl", *arguments],
            cwd=ROOT,
            env=self._shell,
            capture_output=True,
            text=True,
            check=False,
        )

    def generate(self, *arguments: str) -> dict[str, Any]:
        """Run the generator once, seeded, against the bank; its `--json` summary."""
        with self.generating(*arguments) as run:
            output, _ = run.communicate(timeout=240)
        assert run.returncode == 0, f"the generator ended with {run.returncode}"
        return json.loads(output.splitlines()[-1])

    # -- connections -------------------------------------------------------------------------------------------

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's `host:port`."""
        return self.stack.bootstrap_servers

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

    @contextmanager
    def airflow(self) -> Iterator[httpx.Client]:
        """Airflow's REST API v2 as its administrator."""
        login = {"username": "admin", "password": self.stack.secret("airflow_admin_password")}
        with httpx.Client(base_url=self.stack.url("airflow"), timeout=20, trust_env=False) as client:
            token = client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client

    def dag_runs(self, dag: str, **filters: str) -> list[dict[str, Any]]:
        """All runs of a DAG, newest first, as the REST API v2 shows them and in as many pages as it makes of them."""
        runs: list[dict[str, Any]] = []
        with self.airflow() as client:
            while True:
                parameters = {"limit": 100, "offset": len(runs), "order_by": "-run_after", **filters}
                page = client.get(f"/api/v2/dags/{dag}/dagRuns", params=parameters).raise_for_status().json()
                runs += page["dag_runs"]
                if not page["dag_runs"] or len(runs) >= page["total_entries"]:
                    return runs

    def active_builds(self) -> list[dict[str, Any]]:
        """The builds of the marts that are queued or running."""
        return [run for run in self.dag_runs("build_marts") if run["state"] in ("queued", "running")]


def _named(process: psutil.Process, words: tuple[str, ...], without: str) -> bool:
    try:
        # A fork has its parent's command line, and may have a name of its own.
        line = " ".join([*process.cmdline(), process.name()])
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False
    return not (without and without in line) and all(word in line for word in words)
