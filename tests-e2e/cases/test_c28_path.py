"""C28: a checkout whose path a shell, Postgres or Kafka would read as syntax is refused before anything starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.stack_driver import ROOT

pytestmark = [pytest.mark.case, pytest.mark.short, pytest.mark.timeout(300)]


@pytest.mark.parametrize("name", ["it's", "two words"])
def test_a_clone_into_such_a_folder_is_refused_by_its_path(tmp_path: Path, name: str) -> None:
    clone = tmp_path / name
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(clone)], check=True)
    own = {name: value for name, value in os.environ.items() if name != "BANKCTL_STATE_DIR"} | {"COLUMNS": "500"}
    for arguments in (["doctor"], ["up", "--only", "minio"]):
        refused = subprocess.run(
            [sys.executable, "-m", "bankctl", *arguments],
            cwd=clone,
            env=own,
            capture_output=True,
            text=True,
            check=False,
        )
        said = refused.stdout + refused.stderr
        assert refused.returncode == 1, said
        assert f"{clone}" in said
        assert "as syntax" in said
    assert not list((clone / ".local").rglob("run/*"))
