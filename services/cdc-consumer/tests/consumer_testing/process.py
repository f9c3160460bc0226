"""The consumer as a process of its own, with the topics of one test."""

import json
import multiprocessing
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from consumer_testing.launch import Kill, Launch, run, run_command
from consumer_testing.real import PREFIX, Sandbox

# A process that has imported the consumer and does nothing forks each of the others: an import takes a second of CPU.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["__main__", "cdc_consumer.main"])


def free_port() -> int:
    """A loopback port that nobody uses at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment_of(sandbox: Sandbox) -> dict[str, str]:
    """What a process of the consumer needs to find its test's corner of the stack."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        # A test's consumers are members of their own, whatever the stack's consumer is called.
        **{name: value for name, value in sandbox.env.items() if name != f"{PREFIX}GROUP_INSTANCE_ID"},
        f"{PREFIX}GROUP_ID": sandbox.group,
        f"{PREFIX}DEAD_LETTERS_TOPIC": sandbox.topic("dead-letters"),
    }


def command(sandbox: Sandbox, output: Path, *arguments: str, seconds: float = 60) -> str:
    """What `cdc-consumer` prints with these arguments; it must end well, and within that time."""
    process = _FORKS.Process(target=run_command, args=(arguments, environment_of(sandbox), output), daemon=True)
    process.start()
    process.join(seconds)
    printed = output.read_text(encoding="utf-8")
    assert process.exitcode == 0, f"exit code {process.exitcode}: {printed}"
    return printed


class ConsumerProcess:
    """`cdc-consumer run`, but for the topics of a test."""

    def __init__(
        self,
        sandbox: Sandbox,
        kinds: Mapping[str, str],
        log: Path,
        *,
        captured: tuple[str, ...] = (),
        kill: Kill | None = None,
        until_caught_up: bool = False,
        **settings: str,
    ) -> None:
        self.port = free_port()
        log.touch()
        self._log = log
        self._read = log.stat().st_size
        self._lines: list[dict[str, Any]] = []
        environment = environment_of(sandbox) | {
            f"{PREFIX}HTTP__PORT": str(self.port),
            f"{PREFIX}SESSION_TIMEOUT_SECONDS": "6",
            f"{PREFIX}FLUSH_SECONDS": "0.3",
            f"{PREFIX}MAX_SEGMENTS_PER_SECOND": "1000",
            **{f"{PREFIX}{name.upper()}": value for name, value in settings.items()},
        }
        launch = Launch(dict(kinds), captured, kill, until_caught_up)
        self._process = _FORKS.Process(target=run, args=(launch, environment, log), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def running(self) -> bool:
        return self._process.is_alive()

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self.wait(10)

    def terminate(self, seconds: float = 10) -> int:
        """SIGTERM, and the exit code; fails when it takes longer than that."""
        self._process.terminate()
        return self.wait(seconds)

    def wait(self, seconds: float = 30) -> int:
        """The exit code of a process that ends by itself."""
        code = self.lives(seconds)
        if code is None:
            raise AssertionError(f"the consumer still runs after {seconds} s")
        return code

    def lives(self, seconds: float) -> int | None:
        """Let it run that long, and no longer than it lives: its exit code, or None when it is still running."""
        self._process.join(seconds)
        return self._process.exitcode

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event of this process."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            whole, _, _ = log.read().rpartition(b"\n")
        if whole:
            self._read += len(whole) + 1
            self._lines += [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]
        return [line for line in self._lines if line.get("event") == name]

    def metric(self, name: str) -> float:
        """The sum of one metric over its labels; 0 while there is no answer."""
        try:
            text = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text
        except httpx.HTTPError:
            return 0
        lines = [line for line in text.splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def __enter__(self) -> "ConsumerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.signal(signal.SIGCONT)
            self._process.kill()
            self._process.join(10)
