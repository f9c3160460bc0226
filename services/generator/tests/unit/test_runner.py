from decimal import Decimal

import pytest
from generator_world.memory import InMemoryLedger, LosingLedger, ManualPause
from prometheus_client import CollectorRegistry

from bank_common.logging import get_logger
from bank_common.service import Readiness
from generator.bank import Bank
from generator.instruments import Instruments
from generator.planner import Planner
from generator.ports import BankAwayError
from generator.runner import DEPENDENCY, Runner


class World:
    """A runner on a bank in memory."""

    def __init__(self, ledger: InMemoryLedger, pause: ManualPause | None = None, patience: float | None = None) -> None:
        self.ledger, self.bank, self.pause = ledger, Bank(), pause or ManualPause()
        self.readiness, self.registry = Readiness([DEPENDENCY]), CollectorRegistry()
        self.runner = Runner(
            ledger,
            self.bank,
            self.pause,
            self.readiness,
            Instruments(self.registry),
            get_logger("test"),
            give_up_seconds=patience,
        )
        self.planner = Planner(self.bank, 1, 3)

    def work(self, transactions: int, rate: float | None = None, seconds: float | None = None) -> None:
        assert self.runner.connect(None)
        self.runner.work(self.planner.plans(3, transactions), rate=rate, seconds=seconds)


def test_everything_is_counted_and_money_adds_up() -> None:
    world = World(InMemoryLedger())
    world.work(200)
    tally = world.runner.tally
    assert tally.transactions == 203 == len(world.ledger.performed)
    assert world.ledger.total() == tally.money.paid_in - tally.money.paid_out
    summary = tally.summary(1, 2.0)
    assert summary["transactions"]["committed"] + summary["transactions"]["rolled_back"] == 203
    assert summary["lsn"]["last"] == "0/CB"
    assert Decimal(summary["money"]["paid_in"]) == tally.money.paid_in
    counted = sum(
        sample.value
        for family in world.registry.collect()
        for sample in family.samples
        if sample.name == "bank_generator_transactions_total"
    )
    assert counted == 203


def test_a_lost_answer_is_counted_and_the_plan_is_not_repeated() -> None:
    ledger = LosingLedger(answer_lost={5, 9})
    world = World(ledger)
    world.work(60)
    assert world.runner.tally.unknown == 2
    assert world.runner.tally.transactions == 63
    assert len(ledger.performed) == 63
    assert (world.runner.tally.reconnects, ledger.opened) == (2, 3)
    # What is known after the reconnect is what is there, lost answers included.
    assert world.bank.accounts == ledger.accounts


def test_a_transaction_that_was_never_sent_is_not_unknown() -> None:
    ledger = LosingLedger(never_sent={5})
    world = World(ledger)
    world.work(10)
    assert world.runner.tally.unknown == 0
    assert world.runner.tally.reconnects == 1
    assert world.runner.tally.transactions == 12


def test_it_waits_longer_and_longer_for_a_bank_that_is_away_and_says_so() -> None:
    world = World(LosingLedger(away=7))
    assert world.readiness.report()
    assert world.runner.connect(None)
    assert world.pause.waits == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert not world.readiness.report()


def test_it_gives_up_when_told_to() -> None:
    world = World(LosingLedger(away=1000))
    with pytest.raises(BankAwayError):
        world.runner.connect(10.0)
    assert 10.0 <= world.pause.now() < 20.0


def test_a_stop_ends_the_wait_for_the_bank() -> None:
    world = World(LosingLedger(away=1000), ManualPause(stop_at=3.0))
    assert not world.runner.connect(None)


def test_a_stop_ends_the_work_between_two_transactions() -> None:
    world = World(InMemoryLedger(), ManualPause(stop_at=2.0))
    world.work(1000, rate=10)
    assert len(world.ledger.performed) == pytest.approx(20, abs=1)
    assert world.runner.tally.last_position is not None


def test_the_rate_is_kept_and_the_duration_ends_it() -> None:
    world = World(InMemoryLedger())
    world.work(1000, rate=10, seconds=5.0)
    assert len(world.ledger.performed) == pytest.approx(50, abs=1)


def test_after_a_long_stop_there_is_no_burst() -> None:
    class Stalling(InMemoryLedger):
        def perform(self, plan, traceparent):  # type: ignore[no-untyped-def]
            if len(self.performed) == 10:
                world.pause.wait(100.0)
            return super().perform(plan, traceparent)

    world = World(Stalling())
    world.work(1000, rate=10, seconds=110.0)
    assert len(world.ledger.performed) < 130
