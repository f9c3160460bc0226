"""What every `ObjectStore` must do. Run on the fake by the unit tests and on the real store by the contract tests."""

from concurrent.futures import ThreadPoolExecutor

from cdc_consumer.ports import ObjectStore

METADATA = {"bank-start": "1", "bank-traceparent": "00-ab-cd-01"}


class ObjectStoreContract:
    """Subclasses give the fixtures `store` and `prefix` (ends in a slash, nobody else's)."""

    def test_create_stores_bytes_and_metadata(self, store: ObjectStore, prefix: str) -> None:
        assert store.create(f"{prefix}a.parquet", b"body", METADATA)
        stored = store.read(f"{prefix}a.parquet")
        assert stored is not None
        assert stored.body == b"body"
        assert METADATA.items() <= dict(stored.metadata).items()
        assert METADATA.items() <= dict(store.metadata(f"{prefix}a.parquet") or {}).items()

    def test_create_never_overwrites(self, store: ObjectStore, prefix: str) -> None:
        assert store.create(f"{prefix}a.parquet", b"first", METADATA)
        assert not store.create(f"{prefix}a.parquet", b"second", {})
        stored = store.read(f"{prefix}a.parquet")
        assert stored is not None
        assert stored.body == b"first"

    def test_of_many_creators_one_wins(self, store: ObjectStore, prefix: str) -> None:
        for number in range(5):
            key = f"{prefix}{number}.parquet"
            with ThreadPoolExecutor(8) as pool:
                bodies = [bytes([creator]) * 1000 for creator in range(8)]
                won = list(pool.map(lambda body: store.create(key, body, {}), bodies))  # noqa: B023
            assert won.count(True) == 1
            stored = store.read(key)
            assert stored is not None
            assert stored.body == bodies[won.index(True)]

    def test_what_is_not_there_is_none(self, store: ObjectStore, prefix: str) -> None:
        assert store.read(f"{prefix}nothing") is None
        assert store.metadata(f"{prefix}nothing") is None
        assert store.folders(prefix) == []
        assert store.keys(prefix) == []

    def test_listings_are_ordered_and_complete(self, store: ObjectStore, prefix: str) -> None:
        for folder in (2, 0, 10):
            for number in (3, 1, 2):
                store.create(f"{prefix}{folder:04d}/{number:04d}.parquet", b"", {})
        assert store.folders(prefix) == [f"{prefix}{folder:04d}/" for folder in (0, 2, 10)]
        keys = [f"{prefix}0002/{number:04d}.parquet" for number in (1, 2, 3)]
        assert store.keys(f"{prefix}0002/") == keys
        assert store.keys(f"{prefix}0002/", after=keys[0]) == keys[1:]
        assert store.keys(f"{prefix}0002/", after=keys[2]) == []

    def test_a_folder_is_not_its_longer_neighbour(self, store: ObjectStore, prefix: str) -> None:
        store.create(f"{prefix}topic-a/0000/x.parquet", b"", {})
        assert store.folders(f"{prefix}topic/") == []

    def test_a_listing_spans_pages(self, store: ObjectStore, prefix: str) -> None:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda number: store.create(f"{prefix}f/{number:05d}", b"", {}), range(1100)))
        assert store.keys(f"{prefix}f/")[-1] == f"{prefix}f/01099"

    def test_probe_returns(self, store: ObjectStore) -> None:
        store.probe()
