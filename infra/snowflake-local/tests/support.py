"""A server in a process of its own, and connections to it through the real connector."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

COPY_OPTIONS = (
    "file_format = (type = parquet use_logical_type = true) match_by_column_name = case_insensitive"
    " on_error = abort_statement"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`snowflake-local serve` on a folder; may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoding, none = serialization.Encoding.PEM, serialization.NoEncryption()
        self.key_file = folder / "key.pem"
        self.key_file.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, none))
        public = folder / "key.pub.pem"
        public.write_bytes(key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo))
        users = folder / "users.json"
        users.write_text(f'{{"TESTER": {{"public_key_file": "{public}", "role": "ACCOUNTADMIN"}}}}')

    def start(self) -> "Server":
        options = ["--data-dir", self.folder / "data", "--port", self.port, "--users-file", self.folder / "users.json"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "snowflake_local.main", "serve", *map(str, options)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise AssertionError("the server was not ready within 60 s")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(15)

    def connect(self, **overrides: Any) -> snowflake.connector.SnowflakeConnection:
        given: dict[str, Any] = {
            "account": "local",
            "user": "TESTER",
            "authenticator": "SNOWFLAKE_JWT",
            "private_key_file": str(self.key_file),
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
            "login_timeout": 10,
            "network_timeout": 60,
        }
        return snowflake.connector.connect(**(given | overrides))


def account_connection() -> snowflake.connector.SnowflakeConnection:
    """The real account of SNOWFLAKE_*, for `--account real`."""
    names = ("ACCOUNT", "USER", "PRIVATE_KEY_FILE", "ROLE", "WAREHOUSE", "DATABASE")
    given = {name.lower(): os.environ[f"SNOWFLAKE_{name}"] for name in names}
    return snowflake.connector.connect(authenticator="SNOWFLAKE_JWT", **given)
