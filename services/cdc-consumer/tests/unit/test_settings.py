import pytest

from bank_common.settings import SettingsError
from cdc_consumer.settings import ConsumerSettings

NEEDED = {
    "CDC_CONSUMER_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "CDC_CONSUMER_REGISTRY__URL": "http://127.0.0.1:2",
    "CDC_CONSUMER_STORE__ENDPOINT": "http://127.0.0.1:3",
    "CDC_CONSUMER_STORE__ACCESS_KEY": "key",
    "CDC_CONSUMER_STORE__SECRET_KEY": "canary-secret",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("CDC_CONSUMER_"):
            monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)


def test_what_must_be_given_is_enough() -> None:
    settings = ConsumerSettings.load()
    assert settings.bucket == "bank-landing"
    assert settings.limits().flush_seconds == 1.0
    assert "canary-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [("CDC_CONSUMER_MAX_ROWS", "0"), ("CDC_CONSUMER_FLUSH_SECONDS", "soon"), ("CDC_CONSUMER_FLUSH_SECOND", "1")],
)
def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        ConsumerSettings.load()
