"""The fake that the other tests trust passes the real store's contract."""

import pytest
from consumer_testing.fakes import MemoryObjectStore
from consumer_testing.object_store_contract import ObjectStoreContract


class TestFake(ObjectStoreContract):
    @pytest.fixture
    def store(self) -> MemoryObjectStore:
        return MemoryObjectStore()

    @pytest.fixture
    def prefix(self) -> str:
        return "p/"
