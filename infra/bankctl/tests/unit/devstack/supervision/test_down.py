import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.supervision.down import down
from bankctl.devstack.supervision.report import Reporter
from bankctl.stack.paths import repository_root
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(repository_root(), tmp_path / "state", tmp_path, BankctlSettings(state_dir=tmp_path), None)


@pytest.fixture
def unrecorded(stack: Stack) -> Iterator[int]:
    """A server whose record was lost."""
    folder = stack.data_dir("minio")
    folder.mkdir(parents=True)
    process = subprocess.Popen([sys.executable, "-c", "input()"], cwd=folder, stdin=subprocess.PIPE)
    yield process.pid
    process.kill()
    process.wait()


def test_nothing_is_removed_below_a_living_server(stack: Stack, unrecorded: int) -> None:
    with pytest.raises(PipelineError, match=rf"process {unrecorded} .* still at work"):
        down(stack, Reporter(Console()), wipe=True)
    assert stack.data_dir("minio").exists()


def test_a_wipe_removes_all_state_when_nothing_lives(stack: Stack) -> None:
    for folder in ("data/minio", "log", "run", "secrets", "env"):
        (stack.state_dir / folder).mkdir(parents=True)
    down(stack, Reporter(Console()), wipe=True)
    assert not any((stack.state_dir / folder).exists() for folder in ("data", "log", "run", "secrets", "env"))
