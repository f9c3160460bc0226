"""The landing bucket through obstore, for any S3-compatible store."""

import hashlib
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.exceptions import BaseError

from bank_common.clients.object_store import detail, open_bucket
from bank_common.landing.segments import SegmentKey, SegmentMetadata, TopicPartition, chain_prefix
from bank_common.runtime.settings import ObjectStoreSettings
from bank_dags.loading.failures import ContentDiffers, ForeignObject, LedgerBeyondLanding, LoadError, StoreFailed
from bank_dags.loading.segments import Listed, Tail

LIST_PAGE: Final = 1000
CHUNK_BYTES: Final = 1024**2
REQUEST_SECONDS: Final = 30
CONNECT_SECONDS: Final = 5
RETRIES: Final = 5
RETRY_SECONDS: Final = 60


class S3Landing:
    """A `LandingReader`. Reads only: the loader's user of the store can neither write nor delete."""

    def __init__(self, settings: ObjectStoreSettings, bucket: str) -> None:
        """Builds the client; connects to nothing."""
        self._store = open_bucket(
            settings,
            bucket,
            request_seconds=REQUEST_SECONDS,
            connect_seconds=CONNECT_SECONDS,
            retries=RETRIES,
            retry_seconds=RETRY_SECONDS,
        )

    def chains(self, topic: str) -> Collection[TopicPartition]:
        """See `LandingReader.chains`: one listing, of the partitions' folders only."""
        partitions: list[TopicPartition] = []
        with _failures():
            folders = obstore.list_with_delimiter(self._store, topic)["common_prefixes"]
        for folder in folders:
            partition = folder.rstrip("/").rpartition("/")[2]
            if not (len(partition) == len("0000") and partition.isdecimal() and partition.isascii()):
                raise LoadError(ForeignObject(folder, "its folder is no partition's"))
            partitions.append(TopicPartition(topic, int(partition)))
        return partitions

    def after(self, chain: TopicPartition, tail: Tail | None, limit: int) -> Sequence[Listed]:
        """See `LandingReader.after`: one listing that starts at the tail, so it costs what is new, not the history."""
        last = SegmentKey(*chain, tail.start) if tail is not None else None
        # One character less sorts just before the tail itself, which must be there.
        offset = str(last)[:-1] if last is not None else None
        with _failures():
            pages = obstore.list(self._store, chain_prefix(*chain).rstrip("/"), offset=offset, chunk_size=LIST_PAGE)
            entries = list(islice((entry for page in pages for entry in page), limit + 1))
        segments = (Listed(_key(entry["path"]), entry["size"], entry["last_modified"]) for entry in entries)
        listed = sorted(segments, key=lambda segment: segment.key)
        if last is None or tail is None:
            return listed[:limit]
        if tail.landed and (not listed or listed[0].key != last):
            raise LoadError(LedgerBeyondLanding(chain, str(last)))
        return [segment for segment in listed if segment.key.start > last.start][:limit]

    def metadata(self, key: SegmentKey) -> SegmentMetadata | None:
        """See `LandingReader.metadata`: one HEAD."""
        with _failures():
            try:
                attributes = obstore.get(self._store, str(key), options={"head": True}).attributes
            except FileNotFoundError:
                return None
        return _metadata(key, attributes)

    def fetch(self, key: SegmentKey, target: Path) -> SegmentMetadata:
        """See `LandingReader.fetch`."""
        digest = hashlib.sha256()
        with _failures(), target.open("wb") as file:
            try:
                answer = obstore.get(self._store, str(key))
            except FileNotFoundError:
                raise LoadError(ForeignObject(str(key), "it was listed and is gone")) from None
            metadata = _metadata(key, answer.attributes)
            for chunk in answer.stream(min_chunk_size=CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != metadata.sha256:
            raise LoadError(ContentDiffers(str(key), metadata.sha256, digest.hexdigest()))
        return metadata


def _metadata(key: SegmentKey, attributes: Mapping[Any, Any]) -> SegmentMetadata:
    try:
        metadata = SegmentMetadata.from_headers({str(name): str(value) for name, value in attributes.items()})
    except ValueError as error:
        raise LoadError(ForeignObject(str(key), str(error))) from None
    if metadata.start != key.start:
        raise LoadError(ForeignObject(str(key), f"its metadata says that it starts at {metadata.start}"))
    return metadata


def _key(path: str) -> SegmentKey:
    try:
        return SegmentKey.parse(path)
    except ValueError as error:
        raise LoadError(ForeignObject(path, str(error))) from None


@contextmanager
def _failures() -> Generator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        if isinstance(error, FileNotFoundError) and not isinstance(error, BaseError):
            raise
        raise LoadError(StoreFailed(detail(error))) from error
