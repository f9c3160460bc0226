import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components import postgres
from bankctl.devstack.components.component import Component
from bankctl.devstack.supervision.down import down, finish_wipe
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


STATE = ("data", "env", "run", "log", "secrets")


def _make_state(stack: Stack) -> None:
    for folder in STATE:
        (stack.state_dir / folder / "c").mkdir(parents=True)
        (stack.state_dir / folder / "c" / "file").write_text("")


def _left(stack: Stack) -> list[str]:
    return [folder for folder in STATE if (stack.state_dir / folder).exists()]


def test_a_wipe_removes_all_state_when_nothing_lives(stack: Stack) -> None:
    _make_state(stack)
    down(stack, Reporter(Console()), wipe=True)
    assert [path.name for path in stack.state_dir.iterdir()] == ["bank.lock"]
    down(stack, Reporter(Console()), wipe=True)


@pytest.mark.parametrize("moved", range(len(STATE) + 1))
def test_a_wipe_that_is_killed_leaves_whole_folders_and_no_data_without_its_secrets(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    _make_state(stack)
    rename = Path.rename
    renamed: list[Path] = []

    def killed(path: Path, target: Path) -> Path:
        if len(renamed) == moved:
            raise KeyboardInterrupt
        renamed.append(path)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", killed)
    monkeypatch.setattr(shutil, "rmtree", lambda _path, **_: _raise(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        down(stack, Reporter(Console()), wipe=True)
    monkeypatch.undo()
    assert "data" not in _left(stack) or "secrets" in _left(stack)
    assert all((stack.state_dir / folder / "c" / "file").exists() for folder in _left(stack))
    assert len(_left(stack)) == len(STATE) - moved
    before = _left(stack)
    finish_wipe(stack, Reporter(Console()))
    assert _left(stack) == before
    assert sorted(path.name for path in stack.state_dir.iterdir()) == sorted(["bank.lock", *before])
    down(stack, Reporter(Console()), wipe=True)
    assert not _left(stack)


def _raise(error: BaseException) -> None:
    raise error


def test_a_folder_that_lies_elsewhere_is_refused_before_anything_is_removed(stack: Stack, tmp_path: Path) -> None:
    _make_state(stack)
    elsewhere = (stack.state_dir / "log").rename(tmp_path / "elsewhere")
    (stack.state_dir / "log").symlink_to(elsewhere)
    with pytest.raises(PipelineError, match="is a link"):
        down(stack, Reporter(Console()), wipe=True)
    assert _left(stack) == list(STATE)


@pytest.mark.parametrize("component", [postgres.BANK, postgres.PLATFORM], ids=lambda component: component.name)
def test_no_cluster_is_made_over_what_is_left_of_another(stack: Stack, component: Component) -> None:
    """As an earlier version's wipe left it, or a damaged disk."""
    remains = stack.data_dir(component.name) / "cluster" / "base"
    remains.mkdir(parents=True)
    with pytest.raises(PipelineError, match="PG_VERSION is missing") as caught:
        component.prepare(stack)
    assert str(stack.data_dir("")) in caught.value.advice
    assert "wipe" not in caught.value.advice.replace("a wipe was interrupted", "")
    assert remains.exists()
