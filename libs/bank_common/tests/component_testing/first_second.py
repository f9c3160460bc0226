"""A program that is still importing: the signal that ends it is heard, also where it has no default action."""

import os
import signal
import subprocess
import sys
from pathlib import Path

_SLOW = 'import sys\nprint("importing", flush=True)\nsys.stdin.read()\n'


def sigterm_ends_at_once(module: str, command: str, folder: Path) -> None:
    """Start `python -m <module> <command>` with a typer that never ends its import, and send SIGTERM.

    It is started as a container's first process, which nothing ends by default. `folder` is an empty one.
    """
    (folder / "typer.py").write_text(_SLOW)
    started = subprocess.Popen(
        [sys.executable, "-m", module, command],
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),  # noqa: PLW1509 - no threads here
    )
    try:
        assert started.stdout is not None
        assert started.stdout.readline() == "importing\n"
        started.terminate()
        assert started.wait(20) == 128 + signal.SIGTERM
    finally:
        started.kill()
