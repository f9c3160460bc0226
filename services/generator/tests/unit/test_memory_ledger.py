"""The bank in memory keeps the promises that the real one keeps, so that the tests built on it mean something."""

import pytest
from generator_world.ledger_contract import LedgerContract
from generator_world.memory import InMemoryLedger


class TestInMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> InMemoryLedger:
        return InMemoryLedger()
