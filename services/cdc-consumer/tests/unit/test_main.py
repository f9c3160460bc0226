import pytest
from typer.testing import CliRunner

from bank_common.runtime.cli import EXIT_SETTINGS
from cdc_consumer import main
from cdc_consumer.settings import ConsumerSettings


def test_version_and_help() -> None:
    runner = CliRunner()
    assert runner.invoke(main.app, ["--version"]).output.startswith("cdc-consumer ")
    text = runner.invoke(main.app, ["run", "--help"]).output
    assert "Exit codes" in text
    assert "Example" in text


def test_bad_settings_end_with_2_and_name_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "serve", lambda *_, **__: pytest.fail("it must not start"))
    for name in ("KAFKA", "KAFKA__BOOTSTRAP_SERVERS"):
        monkeypatch.delenv(f"CDC_CONSUMER_{name}", raising=False)
    result = CliRunner().invoke(main.app, ["run"])
    assert result.exit_code == EXIT_SETTINGS
    assert "CDC_CONSUMER_KAFKA" in result.output


def test_the_exit_code_is_the_service_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConsumerSettings, "load", ConsumerSettings.model_construct)
    monkeypatch.setattr(main, "serve", lambda *_, **__: main.EXIT_HALTED)
    assert CliRunner().invoke(main.app, ["run"]).exit_code == main.EXIT_HALTED
