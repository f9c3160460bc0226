"""The object store's contract on the real store, and what its client makes of answers that never come."""

from collections.abc import Iterator

import pytest
from consumer_testing.object_store_contract import ObjectStoreContract
from consumer_testing.proxy import FaultyProxy
from consumer_testing.real import Sandbox
from pydantic import SecretStr

from bank_common.runtime.settings import ObjectStoreSettings
from cdc_consumer.adapters.object_store import S3ObjectStore
from cdc_consumer.failures import BucketMissing, FailedError, StoreDenied, StoreUnavailable

pytestmark = pytest.mark.contract


def connect(sandbox: Sandbox, *, endpoint: str | None = None, secret: str | None = None, bucket: str | None = None):
    settings = ObjectStoreSettings(
        endpoint=endpoint or sandbox.env["CDC_CONSUMER_STORE__ENDPOINT"],
        access_key=SecretStr(sandbox.env["CDC_CONSUMER_STORE__ACCESS_KEY"]),
        secret_key=SecretStr(secret or sandbox.env["CDC_CONSUMER_STORE__SECRET_KEY"]),
    )
    return S3ObjectStore(settings, bucket or sandbox.bucket, timeout_seconds=5)


@pytest.fixture
def store(sandbox: Sandbox) -> S3ObjectStore:
    return connect(sandbox)


@pytest.fixture
def prefix(sandbox: Sandbox) -> str:
    return f"{sandbox.prefix}/"


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[FaultyProxy]:
    faulty = FaultyProxy(sandbox.env["CDC_CONSUMER_STORE__ENDPOINT"])
    yield faulty
    faulty.close()


class TestRealStore(ObjectStoreContract):
    pass


def test_a_lost_answer_is_a_failure_and_the_object_is_there(sandbox: Sandbox, proxy: FaultyProxy, prefix: str) -> None:
    store = connect(sandbox, endpoint=proxy.url)
    proxy.lose_put_answers = 1
    with pytest.raises(FailedError) as caught:
        store.create(f"{prefix}a", b"body", {})
    assert isinstance(caught.value.failure, StoreUnavailable)
    assert proxy.lost == 1
    assert not store.create(f"{prefix}a", b"body", {})


@pytest.mark.parametrize("call", ["create", "read", "metadata", "folders", "keys", "probe"])
def test_failures_are_named(sandbox: Sandbox, call: str) -> None:
    arguments = {"create": ("k", b"", {}), "probe": ()}.get(call, ("k/",))

    def failure(store: S3ObjectStore) -> object:
        with pytest.raises(FailedError) as caught:
            getattr(store, call)(*arguments)
        return caught.value.failure

    assert isinstance(failure(connect(sandbox, endpoint="http://127.0.0.1:9")), StoreUnavailable)
    assert isinstance(failure(connect(sandbox, secret="not the secret")), StoreDenied)


@pytest.mark.parametrize("call", ["create", "folders", "keys", "probe"])
def test_a_missing_bucket_is_not_silence(sandbox: Sandbox, call: str) -> None:
    arguments = {"create": ("k", b"", {}), "probe": ()}.get(call, ("k/",))
    with pytest.raises(FailedError) as caught:
        getattr(connect(sandbox, bucket=f"no-{sandbox.prefix}"), call)(*arguments)
    # A user with rights on one bucket only may not learn that another does not exist.
    assert isinstance(caught.value.failure, BucketMissing | StoreDenied)
