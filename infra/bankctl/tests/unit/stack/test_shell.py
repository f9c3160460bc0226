import os
from pathlib import Path

import pytest

from bank_common.runtime.errors import PipelineError
from bankctl.stack import shell
from bankctl.stack.stack import Stack

ASTRAY = {
    "AWS_ENDPOINT_URL_S3": "http://elsewhere",
    "AWS_SESSION_TOKEN": "t",
    "DBT_EMPTY": "1",
    "DBT_TARGET": "x",
    "http_proxy": "http://elsewhere",
    "HTTPS_PROXY": "http://elsewhere",
    "PGSSLMODE": "verify-full",
    "PGHOSTADDR": "192.0.2.1",
    "AIRFLOW_CONFIG": "/elsewhere",
    "JAVA_TOOL_OPTIONS": "-Dx",
    "_JAVA_OPTIONS": "-Dx",
    "SNOWFLAKE_ACCOUNT": "another",
    "CDC_CONSUMER_BUCKET": "another",
    "PYTHONPATH": "/elsewhere",
    "TZ": "Asia/Tokyo",
}


@pytest.fixture(autouse=True)
def astray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ) | ASTRAY)
    monkeypatch.chdir(tmp_path)
    os.environ.pop(shell.ENV_FILE, None)


def test_a_component_gets_what_it_needs_of_the_shell_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    given = shell.inherited_environment()
    assert given["PATH"] == os.environ["PATH"]
    assert given["LC_ALL"] == "C.UTF-8"
    assert not given.keys() & ASTRAY.keys()


def test_bank_itself_forgets_what_its_clients_would_read_and_keeps_what_fetches_need() -> None:
    os.environ["no_proxy"] = "intranet"
    shell.forget()
    assert os.environ.keys() & ASTRAY.keys() == {
        "http_proxy",
        "HTTPS_PROXY",
        "SNOWFLAKE_ACCOUNT",
        "CDC_CONSUMER_BUCKET",
        "PYTHONPATH",
        "TZ",
    }
    assert os.environ["no_proxy"] == "intranet,127.0.0.1,localhost"


def test_an_env_file_speaks_to_bank_below_the_shell_and_to_each_program_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# mine\nBANKCTL_PORT_OFFSET=7\nSNOWFLAKE_ACCOUNT=mine\nSNOWFLAKE_ROLE='a b$c'\nCDC_CONSUMER_MAX_ROWS=9\n"
    )
    os.environ.pop("BANKCTL_PORT_OFFSET", None)
    shell.obey_env_file()
    assert os.environ["BANKCTL_PORT_OFFSET"] == "7"
    assert os.environ["SNOWFLAKE_ACCOUNT"] == "another"
    assert os.environ["SNOWFLAKE_ROLE"] == "a b$c"
    assert "CDC_CONSUMER_MAX_ROWS" not in os.environ
    del os.environ["SNOWFLAKE_ACCOUNT"]  # alone it is no account
    stack = Stack.from_environment()
    assert stack.told_to("CDC_CONSUMER_") == {"CDC_CONSUMER_MAX_ROWS": "9"}
    assert stack.told_to("GENERATOR_") == {}
    assert stack.settings.port_offset == 7


@pytest.mark.parametrize("name", ["BANKTCL_PORT_OFFSET", shell.ENV_FILE])
def test_a_variable_of_nobody_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / ".env").write_text(f"{name}=7\n")
    with pytest.raises(PipelineError, match=name):
        shell.read_env_file()


def test_an_env_file_can_be_left_alone_or_be_another(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NOBODYS=7\n")
    os.environ[shell.ENV_FILE] = ""
    assert shell.read_env_file() == ({}, {})
    os.environ[shell.ENV_FILE] = "other"
    with pytest.raises(PipelineError, match="not there"):
        shell.read_env_file()
    (tmp_path / "other").write_text("GENERATOR_SEED=7\n")
    assert shell.read_env_file() == ({}, {"GENERATOR_SEED": "7"})


def test_without_an_env_file_nothing_is_read() -> None:
    assert shell.read_env_file() == ({}, {})
