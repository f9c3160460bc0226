"""A service that is still importing: the signal that ends it is heard, also where it has no default action."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = """
import sys
print("importing", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("program", ["cdc_consumer", "event_receiver", "generator"])
def test_sigterm_in_the_first_second_ends_a_service_at_once(program: str, tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(SLOW)
    started = subprocess.Popen(
        [sys.executable, "-m", program, "run"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # As for a container's first process, which nothing ends by default.
        preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),  # noqa: PLW1509 - no threads here
    )
    try:
        assert started.stdout is not None
        assert started.stdout.readline() == "importing\n"
        started.terminate()
        assert started.wait(20) == 128 + signal.SIGTERM
    finally:
        started.kill()
