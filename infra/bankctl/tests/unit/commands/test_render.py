"""`bank render` writes what is missing or differs, and `--check` only says so."""

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bankctl.main import app
from bankctl.provision import env_example

ROOT = Path(__file__).resolve().parents[5]
COMPOSE = Path("infra", "compose", "compose.yaml")
NAMES = Path("libs", "bank_common", "src", "bank_common", "names.py")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that holds the list of names with its module, the catalogue, compose.yaml and nothing else that is
    rendered, and no program but `bank`: bankctl depends on no service; `make rendered` checks their settings."""
    (tmp_path / "infra" / "warehouse").mkdir(parents=True)
    shutil.copy(ROOT / "infra" / "platform.toml", tmp_path / "infra")
    shutil.copy(ROOT / "infra" / "warehouse" / "tables.json", tmp_path / "infra" / "warehouse")
    (tmp_path / "infra" / "compose").mkdir()
    shutil.copy(ROOT / COMPOSE, tmp_path / COMPOSE)
    (tmp_path / NAMES).parent.mkdir(parents=True)
    shutil.copy(ROOT / NAMES, tmp_path / NAMES)
    monkeypatch.setattr(env_example, "_PROGRAMS", (("bank, the command", "bankctl.stack.settings"),))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _render(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["render", *arguments])
    return result.exit_code, result.output


def test_check_names_what_differs_and_writes_nothing(checkout: Path) -> None:
    code, output = _render("--check")
    assert code == 1
    assert "differs: infra/kafka/connector.json" in output
    assert not (checkout / "infra" / "kafka").exists()


def test_what_was_written_passes_the_check_until_it_is_changed(checkout: Path) -> None:
    assert _render()[0] == 0
    assert _render("--check")[0] == 0
    connector = checkout / "infra" / "kafka" / "connector.json"
    connector.write_text(connector.read_text().replace('"string"', '"double"'))
    code, output = _render("--check")
    assert (code, output.count("differs")) == (1, 1)


def test_an_order_of_compose_that_is_not_the_graphs_is_named(checkout: Path) -> None:
    _render()
    compose = checkout / COMPOSE
    compose.write_text(compose.read_text().replace("      airflow-api: {condition: service_healthy}\n", "", 1))
    code, output = _render("--check")
    assert (code, output.count("differs: infra/compose/compose.yaml")) == (1, 1)


def test_names_that_changed_are_written_first_and_the_rest_by_a_process_that_imports_them(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "call", lambda command: started.append(command) or 0)
    platform = checkout / "infra" / "platform.toml"
    platform.write_text(platform.read_text().replace("airflow = 8080", "airflow = 8089"))
    code, output = _render()
    assert (code, output) == (0, f"written: {NAMES}\n")
    assert '"airflow": 8089' in (checkout / NAMES).read_text()
    assert [command[1:] for command in started] == [["-m", "bankctl", "render"]]
