"""The bucket's client, in an environment that says something else."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import obstore
import pytest
from pydantic import SecretStr

from bank_common.clients.object_store import detail, open_bucket
from bank_common.runtime.settings import ObjectStoreSettings


class Store(BaseHTTPRequestHandler):
    """Takes every object, and keeps what it was told."""

    seen: list[dict[str, str]]

    def do_PUT(self) -> None:
        self.seen.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("ETag", "x")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_error(503)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the overridden name
        pass


@pytest.fixture
def store() -> Iterator[tuple[str, list[dict[str, str]]]]:
    Store.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Store.seen
        server.shutdown()


def settings(endpoint: str) -> ObjectStoreSettings:
    return ObjectStoreSettings(endpoint=endpoint, access_key=SecretStr("me"), secret_key=SecretStr("secret"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9"),
        ("AWS_ENDPOINT", "http://127.0.0.1:9"),
        ("AWS_SESSION_TOKEN", "another's"),
        ("AWS_SKIP_SIGNATURE", "true"),
        ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true"),
        ("AWS_SERVER_SIDE_ENCRYPTION", "AES256"),
        ("http_proxy", "http://127.0.0.1:9"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
    ],
)
def test_the_environment_has_no_effect(
    store: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    endpoint, seen = store
    monkeypatch.setenv(name, value)
    bucket = open_bucket(settings(endpoint), "landing", request_seconds=5, connect_seconds=2)
    obstore.put(bucket, "a", b"body", use_multipart=False)
    (request,) = seen
    assert request["path"] == "/landing/a"
    assert request["authorization"].startswith("AWS4-HMAC-SHA256 Credential=me/")
    assert not {"x-amz-security-token", "x-amz-server-side-encryption"} & request.keys()
    assert os.environ[name] == value


def test_an_error_is_one_line(store: tuple[str, list[dict[str, str]]]) -> None:
    endpoint, _ = store
    bucket = open_bucket(settings(endpoint), "landing", request_seconds=5, connect_seconds=2)
    with pytest.raises(Exception, match="503") as caught:
        obstore.list(bucket).collect()
    assert detail(caught.value).startswith("503")
    assert "\n" not in detail(caught.value)
