"""A program of the workspace as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Self


class ProgramProcess:
    """`python -m <module> <arguments>`; it has ended when the test has."""

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def still_runs(self) -> None:
        """Fail with what it said when it has ended."""
        assert self._process.poll() is None, self._process.communicate()[1]

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.send_signal(signal.SIGTERM)

    def ended(self, seconds: float) -> tuple[str, str]:
        """Wait for a clean end, and give what it wrote to stdout and to stderr; it has to end with 0 in time."""
        output, log = self._process.communicate(timeout=seconds)
        assert self._process.returncode == 0, log
        return output, log
