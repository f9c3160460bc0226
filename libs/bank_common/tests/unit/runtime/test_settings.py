from pathlib import Path

import pytest
from pydantic_settings import SettingsConfigDict

from bank_common.runtime.errors import SettingsError
from bank_common.runtime.settings import KafkaSettings, PostgresSettings, ProgramSettings


class Example(ProgramSettings):
    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")
    kafka: KafkaSettings
    postgres: PostgresSettings
    key_file: Path = Path("/nowhere")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "POSTGRES__PORT": "5432",
        "POSTGRES__DATABASE": "bank",
        "POSTGRES__USER": "u",
        "POSTGRES__PASSWORD": "s3cret-value",
    }.items():
        monkeypatch.setenv(f"EXAMPLE_{name}", value)


def test_values_come_from_the_environment() -> None:
    settings = Example.load()
    assert settings.postgres.password.get_secret_value() == "s3cret-value"
    assert "s3cret-value" not in repr(settings)


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "p").write_text("from-file\n")
    monkeypatch.delenv("EXAMPLE_POSTGRES__PASSWORD")
    monkeypatch.setenv("EXAMPLE_POSTGRES__PASSWORD_FILE", str(tmp_path / "p"))
    monkeypatch.setenv("EXAMPLE_KEY_FILE", "/some/key.pem")
    settings = Example.load()
    assert settings.postgres.password.get_secret_value() == "from-file"
    assert settings.key_file == Path("/some/key.pem")


def test_a_missing_secret_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXAMPLE_POSTGRES__PASSWORD")
    monkeypatch.setenv("EXAMPLE_POSTGRES__PASSWORD_FILE", "/does/not/exist")
    with pytest.raises(SettingsError, match="EXAMPLE_POSTGRES__PASSWORD_FILE"):
        Example.load()


def test_every_bad_variable_is_named_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_POSTGRES__PORT", "s3cret-port")
    monkeypatch.delenv("EXAMPLE_KAFKA__BOOTSTRAP_SERVERS")
    monkeypatch.setenv("EXAMPLE_POSTGERS__USER", "typo")
    with pytest.raises(SettingsError) as caught:
        Example.load()
    report = str(caught.value)
    assert "EXAMPLE_POSTGRES__PORT" in report
    assert "EXAMPLE_KAFKA" in report
    assert "EXAMPLE_POSTGERS__USER: unknown" in report
    assert "s3cret" not in report
