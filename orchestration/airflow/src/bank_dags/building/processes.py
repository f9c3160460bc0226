"""The two ways in which dbt runs: as a fork of the warm dbt, or cold, as a process that imports and parses anew."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import IO, Any, Final, Protocol

import structlog

from bank_dags.building.results import BuildError

log = structlog.get_logger(__name__)

INSIDE: Final = Path(__file__).with_name("inside")
"""What runs in dbt's environment."""
INTERRUPT_SECONDS: Final = 4.0
"""How long dbt may take to cancel its queries; below the five seconds that Airflow gives a killed task."""
GREETING_SECONDS: Final = 1.0
"""How long the warm dbt may take to answer; a frozen one must not delay a build."""


class DbtProcess(Protocol):
    """A dbt that has not been asked to build yet, or that builds."""

    def build(self, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Begin; False when nothing was begun and another dbt may."""
        ...

    def wait(self, seconds: float) -> int:
        """Wait for its exit code. Raises TimeoutError."""
        ...

    def stop(self) -> None:
        """End it: an interrupt, on which it cancels its queries, then a kill. Returns when it has ended."""
        ...


class ColdDbt:
    """dbt's own process, which has begun to import and waits for the word."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Takes a process whose input is a pipe that stays open: closing it ends dbt."""
        self.process = process

    def build(self, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
        """A dbt that has ended before does not get the word; its exit code and output tell why."""
        word = json.dumps({"arguments": list(arguments), "environment": dict(environment)})
        try:
            if self.process.stdin is not None:
                self.process.stdin.write(word.encode() + b"\n")
                self.process.stdin.flush()
        except BrokenPipeError:
            log.warning("dbt_ended_early")
        return True

    def wait(self, seconds: float) -> int:
        """See DbtProcess."""
        try:
            return self.process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            raise TimeoutError from None

    def stop(self) -> None:
        """See DbtProcess."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(INTERRUPT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class WarmDbt:
    """A connection to the warm dbt; it becomes the connection of its child that builds."""

    def __init__(self, connection: socket.socket, lock: int, output: IO[bytes]) -> None:
        """Takes a connection that was just made; the caller closes it."""
        self._connection, self._lock, self._output = connection, lock, output
        self._heard, self._ended = b"", False

    def greeting(self) -> str | None:
        """Read why it is not ready; None when it is. Raises OSError, ValueError."""
        said = self._answer(GREETING_SECONDS)
        return None if said.get("state") == "ready" else said.get("reason") or "it hung up"

    def build(self, arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
        """False when it refuses, or does not answer in time: without `go` its child builds nothing."""
        request = json.dumps({"arguments": list(arguments), "environment": dict(environment)}).encode() + b"\n"
        try:
            self._connection.settimeout(GREETING_SECONDS)
            sent = socket.send_fds(self._connection, [request], [self._lock, self._output.fileno()])
            self._connection.sendall(request[sent:])
            answer = self._answer(GREETING_SECONDS)
            if "started" in answer:
                self._connection.sendall(b"go\n")
                return True
            reason = answer.get("refused") or "it hung up"
        except (OSError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
        log.warning("dbt_not_warm", reason=reason)
        self._connection.close()
        return False

    def wait(self, seconds: float) -> int:
        """See DbtProcess. -9 when it ended without a word, as a killed one does."""
        try:
            said = self._answer(seconds)
        except ConnectionError:
            said = {}
        self._ended = True
        return int(said.get("exit", -signal.SIGKILL))

    def stop(self) -> None:
        """See DbtProcess: at the end of what we say, the child interrupts and then kills itself."""
        if self._ended:
            return
        try:
            self._connection.shutdown(socket.SHUT_WR)
            self.wait(INTERRUPT_SECONDS + 1)
        except OSError as error:
            log.warning("dbt_does_not_end", reason=f"{type(error).__name__}: {error}")

    def _answer(self, seconds: float) -> dict[str, Any]:
        deadline = monotonic() + seconds
        while b"\n" not in self._heard:
            self._connection.settimeout(max(0.001, deadline - monotonic()))
            if not (part := self._connection.recv(4096)):
                return {}
            self._heard += part
        line, _, self._heard = self._heard.partition(b"\n")
        return json.loads(line)


@contextmanager
def cold(
    interpreter: Path, executable: Path, project: Path, environment: Mapping[str, str], lock: int, output: IO[bytes]
) -> Generator[ColdDbt]:
    """A dbt that imports while the caller finds out whether a build is pending; killed at the end of the block.

    Raises:
        BuildError: it can't be started.
    """
    try:
        process = subprocess.Popen(
            [str(interpreter), str(INSIDE / "launcher.py"), str(executable)],
            cwd=project,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # The task's process group on purpose: what ends the task's group ends dbt as well.
            pass_fds=[lock],
        )
    except OSError as error:
        raise BuildError(
            f"{error.filename} can't be started: {error.strerror}.",
            advice="Set BANK_DAGS_DBT_EXECUTABLE to the dbt of its own environment. "
            "Runbook: infra/runbooks/build-failing.md.",
        ) from error
    with process:
        try:
            yield ColdDbt(process)
        finally:
            # One that was asked to build has ended by now; one that was not has no query to cancel.
            process.kill()


@contextmanager
def warm(folder: Path, lock: int, output: IO[bytes]) -> Generator[WarmDbt | None]:
    """A connection to the warm dbt that listens in `folder`; None when there is none that is ready."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with connection:
        warm_dbt: WarmDbt | None = WarmDbt(connection, lock, output)
        try:
            # By the folder's descriptor: a socket's own name may have 107 bytes.
            descriptor = os.open(folder, os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                connection.settimeout(GREETING_SECONDS)
                connection.connect(f"/proc/self/fd/{descriptor}/socket")
            finally:
                os.close(descriptor)
            if reason := warm_dbt.greeting():
                log.warning("dbt_not_warm", reason=reason)
                warm_dbt = None
        except FileNotFoundError:
            # This installation has none.
            warm_dbt = None
        except (OSError, ValueError) as error:
            log.warning("dbt_not_warm", reason=f"{type(error).__name__}: {error}")
            warm_dbt = None
        yield warm_dbt
