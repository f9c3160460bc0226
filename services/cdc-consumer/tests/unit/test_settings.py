import pytest

from bank_common.runtime.errors import SettingsError
from cdc_consumer.model.segment_budget import Budget
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
    assert settings.limits().flush_seconds == 0.5
    assert "canary-secret" not in repr(settings)


@pytest.mark.parametrize(("target_lag", "seconds"), [("0", 2.0), ("3", 2.0), ("10", 5.0), ("600", 300.0)])
def test_windows_grow_to_half_the_target_lag_and_2_s_at_least(
    monkeypatch: pytest.MonkeyPatch, target_lag: str, seconds: float
) -> None:
    monkeypatch.setenv("CDC_CONSUMER_TARGET_LAG_SECONDS", target_lag)
    monkeypatch.setenv("CDC_CONSUMER_MAX_SEGMENTS_PER_SECOND", "3")
    assert ConsumerSettings.load().limits().budget == Budget(per_second=3.0, longest_seconds=seconds)


@pytest.mark.parametrize(("target_lag", "segments"), [("0", 10.0), ("10", 4.0)])
def test_a_target_lag_of_0_affords_more_segments(
    monkeypatch: pytest.MonkeyPatch, target_lag: str, segments: float
) -> None:
    monkeypatch.setenv("CDC_CONSUMER_TARGET_LAG_SECONDS", target_lag)
    assert ConsumerSettings.load().limits().budget.per_second == segments


@pytest.mark.parametrize(
    ("name", "value"),
    [("CDC_CONSUMER_MAX_ROWS", "0"), ("CDC_CONSUMER_FLUSH_SECONDS", "soon"), ("CDC_CONSUMER_FLUSH_SECOND", "1")],
)
def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        ConsumerSettings.load()
