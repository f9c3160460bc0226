"""The landing bucket on a real store: who may do what, and chains as the store lists them."""

import io
import uuid
from collections.abc import Iterator

import pytest
from minio import Minio, S3Error

from bank_common.landing.segments import SegmentKey, SegmentMetadata
from bankctl.model.notification_targets import WEBHOOK_ARNS
from bankctl.provision import buckets
from bankctl.stack.stack import LOOPBACK, Stack
from bankctl.verify import chains

pytestmark = pytest.mark.contract
CONSUMER = buckets.consumer_user("test-consumer", "test-consumer-secret")
LOADER = buckets.loader_user("test-loader", "test-loader-secret")


@pytest.fixture
def bucket(stack: Stack) -> Iterator[str]:
    """A bucket of its own, provisioned like the landing bucket."""
    name = f"test-{uuid.uuid4().hex}"
    admin = buckets.StoreAdmin(
        f"{LOOPBACK}:{stack.port('minio')}", stack.secret("minio_root_user"), stack.secret("minio_root_password")
    )
    for _ in range(2):
        buckets.ensure(admin, (CONSUMER, LOADER), WEBHOOK_ARNS, bucket=name)
    yield name
    root: Minio = stack.object_store()
    root.delete_bucket_notification(name)
    for stored in root.list_objects(name, recursive=True):
        root.remove_object(name, str(stored.object_name))
    root.remove_bucket(name)


def _client(stack: Stack, user: buckets.StoreUser) -> Minio:
    return Minio(
        f"{LOOPBACK}:{stack.port('minio')}",
        access_key=user.access_key,
        secret_key=user.secret_key,
        secure=False,
        region=buckets.REGION,
    )


def _put(client: Minio, bucket: str, start: int, end: int) -> str:
    key = str(SegmentKey("bank.public.accounts", 1, start))
    metadata = SegmentMetadata("topic", start, end, end - start, 0, 1, "0" * 64)
    client.put_object(bucket, key, io.BytesIO(b"x"), 1, metadata=dict(metadata.to_headers()))
    return key


def test_the_consumer_creates_and_reads_and_may_not_delete(stack: Stack, bucket: str) -> None:
    consumer = _client(stack, CONSUMER)
    key = _put(consumer, bucket, 0, 5)
    assert consumer.get_object(bucket, key).read() == b"x"
    with pytest.raises(S3Error, match="AccessDenied"):
        consumer.remove_object(bucket, key)
    with pytest.raises(S3Error, match="AccessDenied"):
        consumer.set_bucket_policy(bucket, "{}")


def test_the_loader_reads_and_lists_only(stack: Stack, bucket: str) -> None:
    key = _put(_client(stack, CONSUMER), bucket, 0, 5)
    loader = _client(stack, LOADER)
    assert [stored.object_name for stored in loader.list_objects(bucket, recursive=True)] == [key]
    assert loader.get_object(bucket, key).read() == b"x"
    for attempt in (lambda: _put(loader, bucket, 5, 6), lambda: loader.remove_object(bucket, key)):
        with pytest.raises(S3Error, match="AccessDenied"):
            attempt()


def test_neither_sees_another_bucket(stack: Stack, bucket: str) -> None:
    root: Minio = stack.object_store()
    other = f"test-{uuid.uuid4().hex}"
    root.make_bucket(other)
    try:
        for user in (CONSUMER, LOADER):
            with pytest.raises(S3Error, match="AccessDenied"):
                list(_client(stack, user).list_objects(other))
    finally:
        root.remove_bucket(other)


def test_new_segments_are_announced_to_both_targets(stack: Stack, bucket: str) -> None:
    root: Minio = stack.object_store()
    queues = root.get_bucket_notification(bucket).queue_config_list
    assert sorted(str(entry.queue) for entry in queues) == sorted(WEBHOOK_ARNS)
    suffixes = {entry.suffix_filter_rule.value for entry in queues if entry.suffix_filter_rule}
    assert suffixes == {".parquet"}


def test_a_gap_shows_in_what_the_store_lists(stack: Stack, bucket: str) -> None:
    consumer = _client(stack, CONSUMER)
    for start, end in ((0, 5), (5, 9), (11, 12)):
        _put(consumer, bucket, start, end)
    landing = chains.inspect(chains.entries(_client(stack, LOADER), bucket=bucket))
    assert landing.problems == ("bank.public.accounts/1: gap between 9 and 11",)
    assert landing.rows == 10
