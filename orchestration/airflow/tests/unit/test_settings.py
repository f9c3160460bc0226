"""Bad settings stop the start and name the variable."""

from pathlib import Path

import pytest

from bank_common.runtime.errors import SettingsError
from bank_dags.settings import BankDagsSettings, snowflake_settings

GOOD = {
    "SNOWFLAKE_ACCOUNT": "local",
    "SNOWFLAKE_USER": "BANK_LOADER",
    "SNOWFLAKE_PRIVATE_KEY_FILE": "/keys/loader.pem",
    "SNOWFLAKE_ROLE": "BANK_LOADER",
    "SNOWFLAKE_WAREHOUSE": "BANK_WH",
}


def test_the_warehouses_variables_have_no_prefix_of_ours() -> None:
    settings = snowflake_settings(GOOD | {"SNOWFLAKE_PORT": "18800", "SNOWFLAKE_HOST": "", "SNOWFLAKE_HOME": "/x"})
    assert (settings.account, settings.port, settings.host, settings.database) == ("local", 18800, None, "BANK")
    assert settings.private_key_file == Path("/keys/loader.pem")


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        snowflake_settings({key: value for key, value in GOOD.items() if key != name})


def test_a_wrong_variable_is_named_without_its_value() -> None:
    with pytest.raises(SettingsError, match="SNOWFLAKE_PORT") as caught:
        snowflake_settings(GOOD | {"SNOWFLAKE_PORT": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_an_unknown_variable_of_ours_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANK_DAGS_LOAD_INTERVAL", "5")
    with pytest.raises(SettingsError, match="BANK_DAGS_LOAD_INTERVAL: unknown variable"):
        BankDagsSettings.load()
