"""The bank in memory keeps the promises that the real one keeps, so that the tests built on it mean something."""

import pytest
from generator_testing.bank_database_contract import BankDatabaseContract
from generator_testing.memory import InMemoryBankDatabase


class TestInMemoryBankDatabase(BankDatabaseContract):
    @pytest.fixture
    def database(self) -> InMemoryBankDatabase:
        return InMemoryBankDatabase()
