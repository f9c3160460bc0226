import os

import pytest

from bankctl import shell

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
def astray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ) | ASTRAY)


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
