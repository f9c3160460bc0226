"""A seeded run of the generator beside the demo, as an operator would start it by hand."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from bank_common.runtime.errors import PipelineError
from bankctl.stack.logs import log_tail
from bankctl.stack.shell import inherited_environment

_STOP_SECONDS = 10.0


class GeneratorError(PipelineError):
    """The generator did not end well."""


class GeneratorRun:
    """The generator at work in the background; it is stopped when the block is left before its end."""

    def __init__(self, environment: Mapping[str, str], arguments: Sequence[str], log_file: Path) -> None:
        command = [sys.executable, "-m", "generator", "run", "--once", "--json", *arguments]
        self._log_file = log_file
        log_file.parent.mkdir(parents=True, exist_ok=True)
        self._summary: dict[str, Any] | None = None
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=inherited_environment() | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def summary(self) -> dict[str, Any] | None:
        """Summarise what the generator committed, once it has ended; None while it works.

        Raises:
            GeneratorError: it ended with an error; the message holds the end of its log.
        """
        if self._summary is not None or self._process.poll() is None:
            return self._summary
        output = self._process.stdout.read() if self._process.stdout else ""
        if self._process.returncode or not output.strip():
            raise GeneratorError(
                f"The generator ended with exit code {self._process.returncode}. The end of its log:\n"
                f"{log_tail(self._log_file)}\n",
                advice="Correct what it names and run `bank demo` again.",
            )
        self._summary = json.loads(output.splitlines()[-1])
        return self._summary
