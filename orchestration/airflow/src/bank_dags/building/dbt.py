"""Runs dbt as a process of its own environment, one at a time per state directory."""

import fcntl
import os
import signal
import subprocess
import time
import uuid
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import structlog

from bank_dags.building import results
from bank_dags.building.results import BuildError, BuildResults

log = structlog.get_logger(__name__)

TAIL_LINES: Final = 30
INTERRUPT_SECONDS: Final = 4.0
"""How long dbt may take to cancel its queries; below the five seconds that Airflow gives a killed task."""
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

    def build(self) -> BuildResults:
        """One `dbt build`, snapshots and data tests included; unit tests belong to the project's own checks.

        Waits for a dbt that an earlier, killed task left behind: the lock is held by the process, not by the task.

        Raises:
            BuildError: dbt can't be started, failed, ran too long, or left no results of its own.
        """
        token = uuid.uuid4().hex
        target = self.state_dir / "target"
        target.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + self.timeout_seconds
        with self._lock(deadline) as lock:
            found = target / "run_results.json"
            found.unlink(missing_ok=True)
            exit_code, tail = self._run(token, lock, deadline)
            if not found.exists():
                raise BuildError(
                    f"dbt ended with exit code {exit_code} before it built anything:\n{tail}\n",
                    advice=f"Its whole log is in {self.state_dir / 'log'}; the next sweep starts the build again.",
                )
            built = results.read(found, token)
        results.check(built, exit_code)
        return built

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

    def _run(self, token: str, lock: IO[str], deadline: float) -> tuple[int, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_OUT)}
        environment |= {**self.variables, results.BUILD_VARIABLE: token}
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        output_file = self.state_dir / "build.out"
        with output_file.open("w+", encoding="utf-8", errors="replace") as output:
            try:
                process = subprocess.Popen(
                    self._command(),
                    cwd=self.project_dir,
                    env=environment,
                    stdin=subprocess.DEVNULL,
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
            exit_code = self._wait(process, deadline)
            output.seek(0)
            tail.extend(line.rstrip() for line in output)
        log.info("dbt_ended", exit_code=exit_code, last_line=tail[-1] if tail else "")
        return exit_code, "\n".join(tail)

    def _wait(self, process: subprocess.Popen[bytes], deadline: float) -> int:
        try:
            return process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise BuildError(
                f"dbt did not end within {self.timeout_seconds:.0f} s and was stopped.",
                advice="Raise BANK_DAGS_BUILD_TIMEOUT_SECONDS, or look for the slow model in dbt's log.",
            ) from None
        finally:
            stop(process)

    @contextmanager
    def _lock(self, deadline: float) -> Generator[IO[str]]:
        with (self.state_dir / "build.lock").open("w", encoding="ascii") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise BuildError(
                            "Another dbt build holds the lock.",
                            advice=f"`fuser {self.state_dir / 'build.lock'}` names its process.",
                        ) from None
                    time.sleep(LOCK_POLL_SECONDS)
            yield lock


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
