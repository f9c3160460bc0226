"""Scratch banks on the test stack's Postgres, the generator as a process, and a proxy that loses an answer."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self

import psycopg
from component_testing.program import ProgramProcess
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from bank_common.runtime.settings import PostgresSettings
from bankctl.provision import steps
from bankctl.provision.scratch_database import migrated_database
from bankctl.stack.stack import Stack

TABLES = {
    "customers": "id, first_name, last_name, email",
    "accounts": "id, customer_id, account_type, balance, currency",
    "transactions": "id, account_id, txn_type, amount, related_account_id, status",
}
"""Every column but the database's own timestamps."""

_AUDIT = """
CREATE TABLE audit AS SELECT account_id, txn_type, amount, related_account_id FROM transactions;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
   INSERT INTO audit VALUES (NEW.account_id, NEW.txn_type, NEW.amount, NEW.related_account_id);
   RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION note();
"""


@dataclass(frozen=True)
class ScratchBank:
    """A bank of its own on the real server: how the generator reaches it, and how a superuser looks into it."""

    settings: PostgresSettings
    superuser_dsn: str = field(repr=False)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.superuser_dsn, autocommit=True) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, without timestamps."""
        return {table: self.rows(f"SELECT {columns} FROM {table} ORDER BY id") for table, columns in TABLES.items()}

    def audit(self) -> None:
        """Keep every posting committed from now on in the table `audit`, whatever is deleted later."""
        with psycopg.connect(self.superuser_dsn, autocommit=True) as connection:
            connection.execute(_AUDIT)

    def through(self, port: int) -> "ScratchBank":
        """Reach the same bank through a proxy."""
        return replace(self, settings=self.settings.model_copy(update={"port": port}))

    def environment(self) -> dict[str, str]:
        where = self.settings
        return {
            "GENERATOR_POSTGRES__HOST": where.host,
            "GENERATOR_POSTGRES__PORT": str(where.port),
            "GENERATOR_POSTGRES__DATABASE": where.database,
            "GENERATOR_POSTGRES__USER": where.user,
            "GENERATOR_POSTGRES__PASSWORD": where.password.get_secret_value(),
            "GENERATOR_HTTP__PORT": str(free_port()),
        }


@contextmanager
def scratch_bank(stack: Stack) -> Iterator[ScratchBank]:
    """A migrated, empty bank; gone at the end. The generator logs in as `bank_app`, as it does for real."""
    with migrated_database(stack.dsn("bank"), steps.migrations_folder(stack.root)) as dsn:
        parts = conninfo_to_dict(dsn)
        settings = PostgresSettings(
            host=str(parts["host"]),
            port=int(str(parts["port"])),
            database=str(parts["dbname"]),
            user="bank_app",
            password=SecretStr(stack.secret("bank_app_password")),
        )
        yield ScratchBank(settings, dsn)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class GeneratorProcess(ProgramProcess):
    """`generator run --json …` on a bank, as `bank up` starts it."""

    def __init__(self, bank: ScratchBank, *arguments: str, **environment: str) -> None:
        self.environment = bank.environment() | environment
        super().__init__("generator", "run", "--json", *arguments, environment=self.environment)

    @property
    def health(self) -> str:
        return f"http://127.0.0.1:{self.environment['GENERATOR_HTTP__PORT']}"

    def summary(self, seconds: float = 120) -> dict[str, Any]:
        """Wait for a clean end; its summary."""
        return json.loads(self.ended(seconds)[0].splitlines()[-1])


class LostAnswerProxy:
    """Stands before Postgres; passes one COMMIT on and breaks the connection instead of passing the answer back."""

    def __init__(self, host: str, port: int, *, commit_number: int) -> None:
        self._target = host, port
        self._commits_to_come = commit_number
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            for source, sink, requests in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pass_on, args=(source, sink, requests), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, requests: bool) -> None:
        try:
            while data := source.recv(65536):
                # Seen as text for the first few only: later ones are prepared and sent by name.
                if requests and b"COMMIT" in data and not self.lost.is_set():
                    self._commits_to_come -= 1
                    if self._commits_to_come == 0:
                        self._lose(source, sink, data)
                        return
                sink.sendall(data)
        except OSError:
            return
        finally:
            for end in (source, sink):
                end.close()

    def _lose(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        """The client sees a broken connection at once; the server gets the commit and is left open to do it."""
        client.shutdown(socket.SHUT_RDWR)
        server.sendall(data)
        server.shutdown(socket.SHUT_WR)
        self.lost.set()
