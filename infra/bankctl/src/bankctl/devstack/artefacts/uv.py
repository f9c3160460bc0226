"""uv, and the environments of the separate projects (Airflow, dbt, local warehouse), synchronised from their locks."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from bank_common.runtime.errors import PipelineError
from bankctl.stack.paths import repository_root


class EnvironmentSetupError(PipelineError):
    """A project's environment could not be made."""


def uv_binary() -> str:
    """UV of the environment, the one on PATH, or the one that `make` put into .local/.

    Raises:
        EnvironmentSetupError: there is none.
    """
    own = repository_root() / ".local" / "uv" / "bin" / "uv"
    executable = os.environ.get("UV") or shutil.which("uv") or (str(own) if own.exists() else None)
    if executable is None:
        raise EnvironmentSetupError("uv was not found.", advice="Start through make (`make up`), which brings it.")
    return executable


def sync(project: Path, progress: Callable[[str], None]) -> Path:
    """Make `<project>/.venv` equal to its lock and give its `bin` folder; does nothing when it is already.

    Raises:
        EnvironmentSetupError: uv failed; its last lines are in the message.
    """
    binaries, stamp = project / ".venv" / "bin", project / ".venv" / ".locked"
    digest = hashlib.sha256((project / "uv.lock").read_bytes() + (project / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return binaries
    progress(f"{project.name}: installing its packages")
    dropped = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    command = [
        uv_binary(),
        "sync",
        "--project",
        str(project),
        "--locked",
        "--no-dev",
        "--inexact",
        "--compile-bytecode",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=project)
    if done.returncode:
        raise EnvironmentSetupError(
            f"The environment of {project.name} could not be made: {done.stderr.strip()[-600:]}",
            advice="Check the network and the disk; after a change of dependencies run `make lock`.",
        )
    stamp.write_text(digest, encoding="utf-8")
    return binaries
