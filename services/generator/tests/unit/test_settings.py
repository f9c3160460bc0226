import pytest
from typer.testing import CliRunner

from bank_common.runtime.errors import SettingsError
from generator.main import app
from generator.settings import GeneratorSettings

REQUIRED = {
    "GENERATOR_POSTGRES__DATABASE": "bank",
    "GENERATOR_POSTGRES__USER": "bank_app",
    "GENERATOR_POSTGRES__PORT": "1",
    "GENERATOR_POSTGRES__PASSWORD": "canary-password",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_options_come_before_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GENERATOR_RATE", "3")
    assert GeneratorSettings.load(rate=7).rate == 7
    assert GeneratorSettings.load().rate == 3


def test_a_bad_value_stops_the_start_and_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GENERATOR_ACCOUNTS_PER_CUSTOMER", "0")
    with pytest.raises(SettingsError, match="GENERATOR_ACCOUNTS_PER_CUSTOMER"):
        GeneratorSettings.load()


def test_a_bad_option_is_an_error_with_exit_code_2(environment: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(app, ["run", "--once", "--rate", "-1"])
    assert result.exit_code == 2
    assert "GENERATOR_RATE" in result.stderr


def test_an_absent_bank_is_a_sentence_with_advice_and_no_secret(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GENERATOR_GIVE_UP_SECONDS", "0")
    result = CliRunner().invoke(app, ["run", "--once"])
    assert result.exit_code == 1
    assert "127.0.0.1:1 is away" in result.stderr
    assert "Runbook: infra/runbooks/bank-database-away.md." in result.stderr
    assert "Traceback" not in result.stderr
    assert "canary-password" not in result.output


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("generator 0.")
