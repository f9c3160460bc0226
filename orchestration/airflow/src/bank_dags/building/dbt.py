"""Runs one dbt build, warm if there is a warm dbt, and reads its results."""

import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

import structlog

from bank_dags.building import processes, results
from bank_dags.building.fence import Hold
from bank_dags.building.lock import BuildLock
from bank_dags.building.processes import DbtProcess
from bank_dags.building.results import BuildError, BuildResults
from bank_dags.settings import BuildSettings, dbt_variables

log = structlog.get_logger(__name__)

TAIL_LINES: Final = 30
LOOK_SECONDS: Final = 0.5
"""How often a running build is asked whether it still holds the fence."""
WARM_FOLDER: Final = "warm"
"""Where the warm dbt listens, in the state directory."""
_KEPT_OUT: Final = ("AIRFLOW", "BANK_DAGS_", "PYTHON", "_AIRFLOW")


@dataclass(frozen=True, slots=True)
class Dbt:
    """The call of dbt. `variables` are added to its environment; Airflow's own and our secrets are kept out of it."""

    executable: Path
    project_dir: Path
    state_dir: Path
    threads: int
    timeout_seconds: float
    variables: Mapping[str, str]

    @classmethod
    def of(cls, settings: BuildSettings) -> "Dbt":
        """Make the call that the settings describe."""
        return cls(
            executable=settings.dbt_executable,
            project_dir=settings.dbt_project_dir,
            state_dir=settings.state_dir,
            threads=settings.dbt_threads,
            timeout_seconds=settings.build_timeout_seconds,
            variables=dbt_variables(settings),
        )

    @property
    def interpreter(self) -> Path:
        """The Python of dbt's environment."""
        return self.executable.with_name("python")

    def environment(self) -> dict[str, str]:
        """The environment that dbt gets: ours without Airflow's and our own variables."""
        return {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_OUT)} | {
            **self.variables
        }

    @contextmanager
    def started(self, lock: BuildLock) -> Generator["StartedDbt"]:
        """A dbt that may be asked to build: warm, or one that imports (seconds) while the caller does its own.

        Not asked, it builds nothing.

        Raises:
            BuildError: dbt can't be started.
        """
        (self.state_dir / "target").mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            output = stack.enter_context(TemporaryFile())
            warm = stack.enter_context(processes.warm(self.state_dir / WARM_FOLDER, lock.descriptor, output))
            started = StartedDbt(self, lock, output, stack, warm)
            if warm is None:
                started.go_cold()
            yield started

    def arguments(self, choice: Sequence[str]) -> list[str]:
        """dbt's own arguments; `choice` says what is built, nothing means everything."""
        pairs = {
            "--project-dir": self.project_dir,
            "--profiles-dir": self.project_dir,
            "--target-path": self.state_dir / "target",
            "--log-path": self.state_dir / "log",
            "--threads": self.threads,
            "--exclude-resource-type": "unit_test",
        }
        flags = ["--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check", "--log-level-file", "info"]
        return [*flags, "build", *(str(part) for pair in pairs.items() for part in pair), *choice]


@dataclass(slots=True)
class StartedDbt:
    """A dbt that waits for the word to build. It has the lock's descriptor."""

    dbt: Dbt
    lock: BuildLock
    output: IO[bytes]
    stack: ExitStack
    process: DbtProcess | None

    def go_cold(self) -> DbtProcess:
        """Start a dbt process of this build's own. Raises BuildError."""
        dbt = self.dbt
        self.process = self.stack.enter_context(
            processes.cold(
                dbt.interpreter, dbt.executable, dbt.project_dir, dbt.environment(), self.lock.descriptor, self.output
            )
        )
        return self.process

    def build(self, hold: Hold, choice: Sequence[str] = ()) -> BuildResults:
        """Run one `dbt build`, snapshots and data tests included; unit tests belong to the project's own checks.

        Raises:
            BuildError: dbt failed, ran too long, left no results of its own, or the fence was lost meanwhile.
        """
        deadline = time.monotonic() + self.dbt.timeout_seconds
        results_file = self.dbt.state_dir / "target" / "run_results.json"
        results_file.unlink(missing_ok=True)
        owner = hold.owner
        own = {**owner.variables, results.BUILD_VARIABLE: owner.token}
        asked = (self.dbt.arguments(choice), self.dbt.environment() | own)
        process = self.process or self.go_cold()
        if not process.build(*asked):
            process = self.go_cold()
            process.build(*asked)
        exit_code, tail = self._wait(process, deadline, hold), self._tail()
        log.info("dbt_ended", exit_code=exit_code, last_line=tail[-1] if tail else "")
        if not results_file.exists():
            said = "\n".join(tail)
            raise BuildError(
                f"dbt ended with exit code {exit_code} before it built anything:\n{said}\n",
                advice=f"Its whole log is in {self.dbt.state_dir / 'log'}; the next sweep starts the build again. "
                "Runbook: infra/runbooks/build-failing.md.",
            )
        built = results.read(results_file, owner.token)
        results.check(built, exit_code)
        return built

    def _wait(self, process: DbtProcess, deadline: float, hold: Hold) -> int:
        try:
            while True:
                hold.check()
                remaining = deadline - time.monotonic()
                try:
                    return process.wait(min(LOOK_SECONDS, max(0.0, remaining)))
                except TimeoutError:
                    if remaining > LOOK_SECONDS:
                        continue
                    raise BuildError(
                        f"dbt did not end within {self.dbt.timeout_seconds:.0f} s and was stopped.",
                        advice="Raise BANK_DAGS_BUILD_TIMEOUT_SECONDS, or look for the slow model in dbt's log. "
                        "Runbook: infra/runbooks/build-failing.md.",
                    ) from None
        finally:
            process.stop()

    def _tail(self) -> list[str]:
        self.output.seek(0)
        return self.output.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
