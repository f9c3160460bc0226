"""The landing bucket through obstore, for any S3-compatible store that honours `If-None-Match: *`."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError

from bank_common.clients.object_store import detail, open_bucket
from bank_common.runtime.settings import ObjectStoreSettings
from cdc_consumer.failures import BucketMissing, FailedError, Failure, StoreDenied, StoreUnavailable
from cdc_consumer.ports import StoredObject

CONNECT_SECONDS: Final = 2
LIST_PAGE: Final = 1000


class S3ObjectStore:
    """An `ObjectStore`. Retries are the caller's: here one call is one request (per page of a listing)."""

    def __init__(self, settings: ObjectStoreSettings, bucket: str, timeout_seconds: float) -> None:
        """Builds the client; connects to nothing."""
        self._bucket = bucket
        self._store = open_bucket(
            settings,
            bucket,
            request_seconds=timeout_seconds,
            connect_seconds=min(CONNECT_SECONDS, timeout_seconds),
        )

    def create(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """See `ObjectStore.create`. One PUT: a multipart upload can't be create-only."""
        with self._failures():
            try:
                obstore.put(self._store, key, body, attributes=dict(metadata), mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
            except FileNotFoundError as error:
                raise FailedError(BucketMissing(self._bucket)) from error
        return True

    def read(self, key: str) -> StoredObject | None:
        """See `ObjectStore.read`."""
        with self._failures():
            try:
                answer = obstore.get(self._store, key)
                return StoredObject(answer.bytes().to_bytes(), answer.attributes)
            except FileNotFoundError:
                return None

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """See `ObjectStore.metadata`."""
        with self._failures():
            try:
                return obstore.get(self._store, key, options={"head": True}).attributes
            except FileNotFoundError:
                return None

    def probe(self) -> None:
        """See `ObjectStore.probe`."""
        with self._failures():
            obstore.list_with_delimiter(self._store)

    def folders(self, prefix: str) -> Sequence[str]:
        """See `ObjectStore.folders`."""
        with self._failures():
            answer = obstore.list_with_delimiter(self._store, prefix.rstrip("/"))
        return sorted(f"{folder}/" for folder in answer["common_prefixes"])

    def keys(self, prefix: str, after: str | None = None) -> Sequence[str]:
        """See `ObjectStore.keys`."""
        with self._failures():
            pages = obstore.list(self._store, prefix.rstrip("/"), offset=after, chunk_size=LIST_PAGE)
            return sorted(entry["path"] for page in pages for entry in page)

    @contextmanager
    def _failures(self) -> Generator[None]:
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise FailedError(StoreDenied(detail(error))) from error
        except (BaseError, OSError) as error:
            raise FailedError(self._failure(error)) from error

    def _failure(self, error: Exception) -> Failure:
        text = detail(error)
        if text.startswith(("401", "403")):
            return StoreDenied(text)
        if text.startswith("404"):
            return BucketMissing(self._bucket)
        return StoreUnavailable(text)
