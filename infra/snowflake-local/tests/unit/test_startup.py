import os
import signal
import subprocess
import sys
from pathlib import Path

SLOW = 'import sys\nprint("importing", flush=True)\nsys.stdin.read()\n'


def test_sigterm_while_it_imports_ends_it_at_once(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(SLOW)
    started = subprocess.Popen(
        [sys.executable, "-m", "snowflake_local", "serve"],
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
