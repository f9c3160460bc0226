"""Runs dbt as a process of its own environment, one build at a time per state directory."""

import fcntl
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

import structlog

from bank_dags.building import results
from bank_dags.building.results import BuildError, BuildResults

log = structlog.get_logger(__name__)

TAIL_LINES: Final = 30
INTERRUPT_SECONDS: Final = 4.0
"""How long dbt may take to cancel its queries; below the five seconds that Airflow gives a killed task."""
GO: Final = b"build\n"
"""The word that a started dbt waits for; an input that ends without it ends dbt."""
LOCK_POLL_SECONDS: Final = 0.2
LAUNCHER: Final = Path(__file__).with_name("launcher.py")
_KEPT_OUT: Final = ("AIRFLOW", "BANK_DAGS_", "PYTHON", "_AIRFLOW")


@dataclass(frozen=True, slots=True)
class Dbt:
    """How dbt is called. `variables` are added to its environment; Airflow's own and our secrets are kept out of it."""

    executable: Path
    project_dir: Path
    state_dir: Path
    threads: int
    timeout_seconds: float
    variables: Mapping[str, str]

    @contextmanager
    def started(self) -> Generator["StartedDbt"]:
        """A dbt that imports (seconds) while the caller finds out whether a build is owed; not used, it builds nothing.

        Raises:
            BuildError: dbt can't be started.
        """
        token = uuid.uuid4().hex
        (self.state_dir / "target").mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_OUT)}
        environment |= {**self.variables, results.BUILD_VARIABLE: token}
        with (self.state_dir / "build.lock").open("w", encoding="ascii") as lock, TemporaryFile() as output:
            try:
                process = subprocess.Popen(
                    self._command(),
                    cwd=self.project_dir,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    # The task's process group on purpose: what ends the task's group ends dbt as well.
                    pass_fds=[lock.fileno()],
                )
            except OSError as error:
                raise BuildError(
                    f"{error.filename} can't be started: {error.strerror}.",
                    advice="Set BANK_DAGS_DBT_EXECUTABLE, or make dbt's environment with `make setup-all`.",
                ) from error
            with process:
                try:
                    yield StartedDbt(self, process, token, lock, output)
                finally:
                    # `build` has ended the dbt that it asked to build; one that was not asked has no query to cancel.
                    process.kill()

    def _command(self) -> list[str]:
        arguments = {
            "--project-dir": self.project_dir,
            "--profiles-dir": self.project_dir,
            "--target-path": self.state_dir / "target",
            "--log-path": self.state_dir / "log",
            "--threads": self.threads,
            "--exclude-resource-type": "unit_test",
        }
        flags = ["--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check", "--log-level-file", "info"]
        pairs = [str(part) for pair in arguments.items() for part in pair]
        interpreter = self.executable.with_name("python")
        # -P: our own modules beside the launcher are none of dbt's.
        return [str(interpreter), "-P", str(LAUNCHER), str(self.executable), *flags, "build", *pairs]


@dataclass(frozen=True, slots=True)
class StartedDbt:
    """A dbt process that waits for the word to build. It has inherited the lock's descriptor."""

    dbt: Dbt
    process: subprocess.Popen[bytes]
    token: str
    lock: IO[str]
    output: IO[bytes]

    def build(self) -> BuildResults:
        """One `dbt build`, snapshots and data tests included; unit tests belong to the project's own checks.

        Waits for a dbt that an earlier, killed task left behind: the lock is held by the process, not by the task.

        Raises:
            BuildError: dbt failed, ran too long, or left no results of its own.
        """
        deadline = time.monotonic() + self.dbt.timeout_seconds
        self._hold_lock(deadline)
        found = self.dbt.state_dir / "target" / "run_results.json"
        found.unlink(missing_ok=True)
        exit_code, tail = self._wait(deadline), self._tail()
        log.info("dbt_ended", exit_code=exit_code, last_line=tail[-1] if tail else "")
        if not found.exists():
            said = "\n".join(tail)
            raise BuildError(
                f"dbt ended with exit code {exit_code} before it built anything:\n{said}\n",
                advice=f"Its whole log is in {self.dbt.state_dir / 'log'}; the next sweep starts the build again.",
            )
        built = results.read(found, self.token)
        results.check(built, exit_code)
        return built

    def _hold_lock(self, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise BuildError(
                        "Another dbt build holds the lock.", advice=f"`fuser {self.lock.name}` names its process."
                    ) from None
                time.sleep(LOCK_POLL_SECONDS)
            else:
                return

    def _wait(self, deadline: float) -> int:
        try:
            # A dbt that has ended before does not get the word; its exit code and output tell why.
            self.process.communicate(GO, timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise BuildError(
                f"dbt did not end within {self.dbt.timeout_seconds:.0f} s and was stopped.",
                advice="Raise BANK_DAGS_BUILD_TIMEOUT_SECONDS, or look for the slow model in dbt's log.",
            ) from None
        finally:
            stop(self.process)
        return self.process.returncode

    def _tail(self) -> list[str]:
        self.output.seek(0)
        return self.output.read().decode(errors="replace").splitlines()[-TAIL_LINES:]


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a dbt that still runs: an interrupt, on which it cancels its queries, then a kill. Does nothing otherwise."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(INTERRUPT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
