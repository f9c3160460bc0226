from decimal import Decimal

import pytest
from generator_testing.memory import InMemoryBankDatabase, LosingBankDatabase, ManualPause
from prometheus_client import CollectorRegistry

from bank_common.runtime.logging import get_logger
from bank_common.runtime.service import Readiness
from generator.metrics import GeneratorMetrics
from generator.model.bank import Bank
from generator.model.planner import Planner
from generator.ports import BankAwayError
from generator.runner import DEPENDENCY, Runner


class RunnerSetup:
    """A runner on a bank in memory."""

    def __init__(
        self, database: InMemoryBankDatabase, pause: ManualPause | None = None, patience: float | None = None
    ) -> None:
        self.database, self.bank, self.pause = database, Bank(), pause or ManualPause()
        self.readiness, self.registry = Readiness([DEPENDENCY]), CollectorRegistry()
        self.runner = Runner(
            database,
            self.bank,
            self.pause,
            self.readiness,
            GeneratorMetrics(self.registry),
            get_logger("test"),
            give_up_seconds=patience,
        )
        self.planner = Planner(self.bank, 1, 3)

    def work(self, transactions: int, rate: float | None = None, seconds: float | None = None) -> None:
        assert self.runner.connect(None)
        self.runner.work(self.planner.plans(3, transactions), rate=rate, seconds=seconds)


def test_everything_is_counted_and_money_adds_up() -> None:
    setup = RunnerSetup(InMemoryBankDatabase())
    setup.work(200)
    totals = setup.runner.totals
    assert totals.transactions == 203 == len(setup.database.performed)
    assert setup.database.total() == totals.money.paid_in - totals.money.paid_out
    summary = totals.summary(1, 2.0)
    assert summary["transactions"]["committed"] + summary["transactions"]["rolled_back"] == 203
    assert summary["lsn"]["last"] == "0/CB"
    assert Decimal(summary["money"]["paid_in"]) == totals.money.paid_in
    counted = sum(
        sample.value
        for family in setup.registry.collect()
        for sample in family.samples
        if sample.name == "bank_generator_transactions_total"
    )
    assert counted == 203


def test_a_lost_answer_is_counted_and_the_plan_is_not_repeated() -> None:
    database = LosingBankDatabase(answer_lost={5, 9})
    setup = RunnerSetup(database)
    setup.work(60)
    assert setup.runner.totals.unknown == 2
    assert setup.runner.totals.transactions == 63
    assert len(database.performed) == 63
    assert (setup.runner.totals.reconnects, database.opened) == (2, 3)
    # What is known after the reconnect is what is there, lost answers included.
    assert setup.bank.accounts == database.accounts


def test_a_transaction_that_was_never_sent_is_not_unknown() -> None:
    database = LosingBankDatabase(never_sent={5})
    setup = RunnerSetup(database)
    setup.work(10)
    assert setup.runner.totals.unknown == 0
    assert setup.runner.totals.reconnects == 1
    assert setup.runner.totals.transactions == 12


def test_it_waits_longer_and_longer_for_a_bank_that_is_away_and_says_so() -> None:
    setup = RunnerSetup(LosingBankDatabase(away=7))
    assert setup.readiness.report()
    assert setup.runner.connect(None)
    assert setup.pause.waits == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert not setup.readiness.report()


def test_it_gives_up_when_told_to() -> None:
    setup = RunnerSetup(LosingBankDatabase(away=1000))
    with pytest.raises(BankAwayError):
        setup.runner.connect(10.0)
    assert 10.0 <= setup.pause.now() < 20.0


def test_a_stop_ends_the_wait_for_the_bank() -> None:
    setup = RunnerSetup(LosingBankDatabase(away=1000), ManualPause(stop_at=3.0))
    assert not setup.runner.connect(None)


def test_a_stop_ends_the_work_between_two_transactions() -> None:
    setup = RunnerSetup(InMemoryBankDatabase(), ManualPause(stop_at=2.0))
    setup.work(1000, rate=10)
    assert len(setup.database.performed) == pytest.approx(20, abs=1)
    assert setup.runner.totals.last_position is not None


def test_the_rate_is_kept_and_the_duration_ends_it() -> None:
    setup = RunnerSetup(InMemoryBankDatabase())
    setup.work(1000, rate=10, seconds=5.0)
    assert len(setup.database.performed) == pytest.approx(50, abs=1)


def test_after_a_long_stop_there_is_no_burst() -> None:
    class Stalling(InMemoryBankDatabase):
        def perform(self, plan, traceparent):  # type: ignore[no-untyped-def]
            if len(self.performed) == 10:
                setup.pause.wait(100.0)
            return super().perform(plan, traceparent)

    setup = RunnerSetup(Stalling())
    setup.work(1000, rate=10, seconds=110.0)
    assert len(setup.database.performed) < 130
