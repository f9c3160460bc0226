from pathlib import Path

import pytest
from typer.testing import CliRunner

from event_receiver.main import app
from event_receiver.settings import ReceiverSettings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("EVENT_RECEIVER_TOKENS", "one-token-0123456789")
    monkeypatch.setenv("EVENT_RECEIVER_AIRFLOW__USER", "receiver")
    monkeypatch.setenv("EVENT_RECEIVER_AIRFLOW__PASSWORD", "canary-password")
    return monkeypatch


def tokens() -> list[str]:
    return [token.get_secret_value() for token in ReceiverSettings.load().tokens]


def test_tokens_are_a_comma_list_or_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("EVENT_RECEIVER_TOKENS", "one-token-0123456789, two-token-0123456789")
    assert tokens() == ["one-token-0123456789", "two-token-0123456789"]
    file = tmp_path / "tokens"
    file.write_text("three-token-0123456789\n")
    environment.delenv("EVENT_RECEIVER_TOKENS")
    environment.setenv("EVENT_RECEIVER_TOKENS_FILE", str(file))
    assert tokens() == ["three-token-0123456789"]


@pytest.mark.parametrize("value", ["", "short", ",".join(["a-token-0123456789"] * 3)])
def test_no_token_a_weak_one_or_three_stop_the_start(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("EVENT_RECEIVER_TOKENS", value)
    result = CliRunner().invoke(app, ["run"])
    assert result.exit_code == 2
    assert "EVENT_RECEIVER_TOKENS" in result.stderr
    assert "canary-password" not in result.output
    assert not value or value not in result.output


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("event-receiver 0.")
