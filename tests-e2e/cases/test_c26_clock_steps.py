"""C26: after a step of the machine's clock a stack is still found, and stopped before its data is removed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from harness.stack_driver import ROOT

pytestmark = [pytest.mark.case, pytest.mark.short, pytest.mark.timeout(300)]

# psutil tells when a process began by the kernel's time of boot, which moves with the clock.
STEPPED = """
import sys, psutil
from psutil import _pslinux
before, seconds = _pslinux.boot_time, float(sys.argv.pop(1))
psutil.boot_time = _pslinux.boot_time = lambda: before() + seconds
from bankctl.main import run
run()
"""


@dataclass(frozen=True)
class OneServer:
    """A stack of one component in a state folder and on ports of its own."""

    state: Path

    def bank(self, *arguments: str, step: float = 0.0) -> "subprocess.CompletedProcess[str]":
        """Run `bank …` on a machine whose clock has stepped since."""
        offset = int(os.environ["BANKCTL_PORT_OFFSET"]) + 300
        environment = {"BANKCTL_STATE_DIR": str(self.state), "BANKCTL_PORT_OFFSET": str(offset)}
        command = [sys.executable, "-c", STEPPED, str(step), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OneServer]:
    started = OneServer(tmp_path / "state")
    up = started.bank("up", "--only", "minio")
    assert up.returncode == 0, up.stderr
    yield started
    started.bank("down")


def _process(server: OneServer) -> psutil.Process:
    return psutil.Process(json.loads((server.state / "run" / "minio.json").read_text())["pid"])


@pytest.mark.parametrize("step", [-5.0, 5.0, 3600.0])
def test_a_wipe_after_a_step_ends_the_server_before_it_removes_its_data(server: OneServer, step: float) -> None:
    process = _process(server)
    seen = json.loads(server.bank("status", "--json", step=step).stdout)["components"]["minio"]
    assert (seen["pid"], seen["healthy"]) == (process.pid, True), seen
    again = server.bank("up", "--only", "minio", step=step)
    assert "minio: was already running" in again.stdout, again.stderr
    wiped = server.bank("down", "--wipe", step=step)
    assert (wiped.returncode, "minio: stopped" in wiped.stdout) == (0, True), wiped
    assert not psutil.pid_exists(process.pid)
    assert not (server.state / "data").exists()
