"""The consumer as a process of its own, with the topics of one test."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumer_world.real import PREFIX, World

_LAUNCHER = Path(__file__).with_name("launch.py")


def free_port() -> int:
    """A loopback port that nobody uses at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class ConsumerProcess:
    """`cdc-consumer run`, but for the topics of a test."""

    def __init__(
        self,
        world: World,
        kinds: Mapping[str, str],
        log: Path,
        *,
        captured: tuple[str, ...] = (),
        kill: tuple[str, int] | None = None,
        **settings: str,
    ) -> None:
        self.port = free_port()
        self._log = log
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
            # A test's consumers are members of their own, whatever the stack's consumer is called.
            **{name: value for name, value in world.env.items() if name != f"{PREFIX}GROUP_INSTANCE_ID"},
            f"{PREFIX}HTTP__PORT": str(self.port),
            f"{PREFIX}GROUP_ID": world.group,
            f"{PREFIX}SESSION_TIMEOUT_SECONDS": "6",
            f"{PREFIX}FLUSH_SECONDS": "0.3",
            f"{PREFIX}DEAD_LETTERS_TOPIC": world.topic("dead-letters"),
            **{f"{PREFIX}{name.upper()}": value for name, value in settings.items()},
        }
        kill_at = None if kill is None else {"step": kill[0], "time": kill[1]}
        topics = json.dumps({"kinds": dict(kinds), "captured": list(captured), "kill": kill_at})
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(_LAUNCHER), topics], env=environment, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait(10)

    def terminate(self, seconds: float = 10) -> int:
        """SIGTERM, and the exit code; fails when it takes longer than that."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def wait(self, seconds: float = 30) -> int:
        """The exit code of a process that ends by itself."""
        return self._process.wait(seconds)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in found if line.get("event") == name]

    def __enter__(self) -> "ConsumerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)
