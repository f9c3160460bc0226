"""The landing chains as the object store lists them; what they say is judged by `bank_common.landing.chains`."""

from collections.abc import Iterator

from minio import Minio

from bank_common import names
from bank_common.landing.chains import Chain, LandingListing, ObjectEntry, inspect

__all__ = ["Chain", "LandingListing", "ObjectEntry", "entries", "inspect"]


def entries(client: Minio, *, bucket: str = names.BUCKET, prefix: str = "") -> Iterator[ObjectEntry]:
    """Every object below `prefix` with its user metadata.

    MinIO sends the metadata with the listing; another store is asked object by object.
    """
    for stored in client.list_objects(bucket, prefix=prefix, recursive=True, include_user_meta=True):
        key = str(stored.object_name)
        yield key, stored.metadata or client.stat_object(bucket, key).metadata or {}
