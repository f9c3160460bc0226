"""Logins: users, roles, keys."""

import datetime as dt
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import jwt
import pytest
import snowflake.connector
from loads import LoadingServer
from snowflake.connector.errors import DatabaseError, OperationalError, ProgrammingError
from support import Server

REFUSED = (DatabaseError, OperationalError)


def test_a_user_that_is_not_known(shared: LoadingServer) -> None:
    with pytest.raises(REFUSED) as caught:
        shared.connect(user="SOMEBODY")
    assert caught.value.errno in (250001, 390100)  # the connector passes the server's number on in newer versions
    assert "Incorrect username or password" in str(caught.value)


def test_another_key(shared: LoadingServer, tmp_path: Path) -> None:
    other = Server(tmp_path)
    with pytest.raises(REFUSED):
        shared.connect(private_key_file=str(other.key_file))


def test_a_password(shared: LoadingServer) -> None:
    given: dict[str, Any] = {"account": "local", "user": "TESTER", "password": "x", "login_timeout": 5}
    with pytest.raises(REFUSED, match="key-pair"):
        snowflake.connector.connect(**given, host="127.0.0.1", port=shared.port, protocol="http")


def test_a_role_that_the_user_does_not_have(shared: LoadingServer) -> None:
    with pytest.raises(REFUSED):
        shared.connect(user="LOADER", role="ACCOUNTADMIN")
    cursor = shared.connect(user="LOADER").cursor()
    cursor.execute("select current_user(), current_role()")
    assert cursor.fetchone() == ("LOADER", "LOADER_ROLE")
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute("use role ACCOUNTADMIN")
    assert caught.value.errno == 3013


def test_an_administrator_takes_any_role(shared: LoadingServer) -> None:
    cursor = shared.connect(role="LOADER_ROLE", warehouse="wh").cursor()
    cursor.execute("select current_role(), current_warehouse()")
    assert cursor.fetchone() == ("LOADER_ROLE", "WH")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"exp": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "expired"),
        ({"exp": None}, "exp"),
        ({"sub": "LOCAL.LOADER"}, "issuer or subject"),
        ({"iss": "LOCAL.TESTER.SHA256:AAAA"}, "issuer or subject"),
    ],
)
def test_a_token_that_does_not_hold(shared: LoadingServer, change: dict[str, Any], says: str) -> None:
    now = dt.datetime.now(dt.UTC)
    claims = {
        "sub": "LOCAL.TESTER",
        "iss": shared.issuer("LOCAL.TESTER"),
        "iat": now,
        "exp": now + dt.timedelta(hours=1),
    }
    assert _login(shared, claims)["success"]
    changed = {name: value for name, value in (claims | change).items() if value is not None}
    answer = _login(shared, changed)
    assert not answer["success"]
    assert answer["code"] == "390144"
    assert says in answer["message"]
    assert "token" not in (answer["data"] or {})


def _login(server: Server, claims: dict[str, Any]) -> dict[str, Any]:
    token = jwt.encode(claims, server.key_file.read_bytes(), algorithm="RS256")
    data = {"LOGIN_NAME": "TESTER", "AUTHENTICATOR": "SNOWFLAKE_JWT", "TOKEN": token}
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/session/v1/login-request", json.dumps({"data": data}).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def test_no_statement_without_a_session(shared: LoadingServer) -> None:
    url = f"http://127.0.0.1:{shared.port}/queries/v1/query-request?requestId=1"
    for token in ("", 'Snowflake Token="guessed"', 'Snowflake Token="None"'):
        request = urllib.request.Request(
            url, json.dumps({"sqlText": "select 1"}).encode(), headers={"Authorization": token}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            body = json.loads(answer.read())
        assert (body["success"], body["code"]) == (False, "390111")
