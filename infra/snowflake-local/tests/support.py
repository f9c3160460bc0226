"""A server in a process of its own, and connections to it through the real connector."""

import base64
import hashlib
import json
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
USERS = {"TESTER": "ACCOUNTADMIN", "LOADER": "LOADER_ROLE"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`snowflake-local serve` on a folder; may be killed and started again."""

    def __init__(self, folder: Path, *options: object) -> None:
        self.folder, self.options, self.log = folder, options, folder / "log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoding, none = serialization.Encoding.PEM, serialization.NoEncryption()
        self.key_file = folder / "key.pem"
        self.key_file.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, none))
        public = folder / "key.pub.pem"
        public.write_bytes(key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo))
        users = folder / "users.json"
        entries = {name: {"public_key_file": str(public), "role": role} for name, role in USERS.items()}
        users.write_text(json.dumps(entries))

    def launch(self, *more: object) -> "subprocess.Popen[bytes]":
        """Start the program without waiting for it; `log` has what it says."""
        options = ["--data-dir", self.folder / "data", "--port", self.port, "--users-file", self.folder / "users.json"]
        command = [sys.executable, "-m", "snowflake_local", "serve", *map(str, (*options, *self.options, *more))]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return self.process

    def start(self) -> "Server":
        self.launch()
        assert self.process is not None
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
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

    def issuer(self, subject: str) -> str:
        """Of a token for `subject`, as Snowflake wants it: with the key's fingerprint."""
        key = serialization.load_pem_private_key(self.key_file.read_bytes(), None).public_key()
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        digest = hashlib.sha256(key.public_bytes(encoding, form)).digest()
        return f"{subject}.SHA256:{base64.b64encode(digest).decode()}"

    def end(self) -> None:
        """End the process, by SIGKILL if needed."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(15)

    def session(self, **overrides: Any) -> Any:
        """A cursor of a new session in T.S."""
        return self.connect(database="T", schema="S", **overrides).cursor()

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
