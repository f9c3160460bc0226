"""One seeded run of the generator beside the demo, as an operator would start it by hand."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Self

from bank_common.errors import PipelineError


class GeneratorError(PipelineError):
    """The generator did not end well."""


class GeneratorRun:
    """The generator at work in the background; it is stopped when the block is left before its end."""

    def __init__(self, environment: Mapping[str, str], arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", "generator", "run", "--once", "--json", *arguments]
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command,
            env=os.environ | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._errors.close()

    def summary(self) -> dict[str, Any] | None:
        """What it committed, once it has ended; None while it works.

        Raises:
            GeneratorError: it ended with an error; the message holds the end of what it said.
        """
        if self._process.poll() is None:
            return None
        output = self._process.stdout.read() if self._process.stdout else ""
        if self._process.returncode:
            self._errors.seek(0)
            said = self._errors.read().decode("utf-8", "replace").splitlines()[-15:]
            raise GeneratorError(
                f"The generator ended with exit code {self._process.returncode}:\n" + "\n".join(said) + "\n",
                advice="Correct what it names and run `bank demo` again.",
            )
        return json.loads(output.splitlines()[-1])
