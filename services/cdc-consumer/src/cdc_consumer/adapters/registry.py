"""Schemas through the registry's Confluent-compatible API."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from httpx2 import HTTPError

from bank_common.runtime.settings import RegistrySettings
from cdc_consumer.failures import FailedError, RegistryUnavailable


class ConfluentRegistry:
    """A `SchemaRegistry`. The client keeps what it has read; retries are the caller's."""

    def __init__(self, settings: RegistrySettings, timeout_seconds: float) -> None:
        """Builds the client; connects to nothing."""
        # httpx2, which the client speaks through, reports every request at INFO.
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        self._client = SchemaRegistryClient({"url": settings.url, "timeout": timeout_seconds, "max.retries": 0})

    def schema(self, schema_id: int) -> str | None:
        """See `SchemaRegistry.schema`."""
        try:
            with self._failures():
                return self._client.get_schema(schema_id).schema_str
        except SchemaRegistryError as error:
            if error.http_status_code == HTTPStatus.NOT_FOUND:
                return None
            raise FailedError(RegistryUnavailable(f"HTTP {error.http_status_code}")) from error

    def probe(self) -> None:
        """See `SchemaRegistry.probe`."""
        try:
            with self._failures():
                self._client.get_subjects()
        except SchemaRegistryError as error:
            raise FailedError(RegistryUnavailable(f"HTTP {error.http_status_code}")) from error

    @contextmanager
    def _failures(self) -> Generator[None]:
        try:
            yield
        except HTTPError as error:
            raise FailedError(RegistryUnavailable(type(error).__name__)) from error
