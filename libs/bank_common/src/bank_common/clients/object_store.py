"""The object store's client. Needs the `clients` extra (obstore)."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from obstore.store import S3Store

from bank_common.runtime.settings import ObjectStoreSettings

# obstore has no field for the status of a failed LIST; its text does.
_STATUS: Final = re.compile(r"non-2xx status code: (\d{3}[ A-Za-z]*)")
_CAUSE: Final = re.compile(r"(HTTP error: [^\n]*|Generic S3 error: [^\n]*)")


def open_bucket(
    settings: ObjectStoreSettings,
    bucket: str,
    *,
    request_seconds: float,
    connect_seconds: float,
    retries: int = 0,
    retry_seconds: float | None = None,
) -> S3Store:
    """Make the client of one bucket; it connects to nothing yet. Not while other threads read the environment.

    A request takes `request_seconds` at most, its connection `connect_seconds` of them; after `retries` more tries, or
    `retry_seconds`, it fails. What the settings say is all: AWS_… of the environment has no effect, and a store that is
    reached without TLS is reached without a proxy.
    """
    plain = settings.endpoint.startswith("http://")
    with _deaf(proxies=plain):
        return S3Store(
            bucket,
            endpoint=settings.endpoint,
            access_key_id=settings.access_key.get_secret_value(),
            secret_access_key=settings.secret_key.get_secret_value(),
            region=settings.region,
            client_options={
                "allow_http": plain,
                "timeout": timedelta(seconds=request_seconds),
                "connect_timeout": timedelta(seconds=connect_seconds),
            },
            retry_config={"max_retries": retries, "retry_timeout": timedelta(seconds=retry_seconds or request_seconds)},
        )


def detail(error: Exception) -> str:
    """Put a client's error into one line, without the answer's body."""
    text = str(error)
    match = _STATUS.search(text) or _CAUSE.search(text)
    return match[1].strip() if match else type(error).__name__


@contextmanager
def _deaf(*, proxies: bool) -> Generator[None]:
    """Hide from the client what it reads while it is made, beside what it is told.

    Its options can't do this: nothing that they take means "no encryption by the server" where
    AWS_SERVER_SIDE_ENCRYPTION asks for it, and a new version may read a new variable.
    """
    astray = {
        name: value
        for name, value in os.environ.items()
        if name.upper().startswith("AWS_") or (proxies and name.lower().endswith("_proxy"))
    }
    for name in astray:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(astray)
