"""The contract suite of `BankDatabase`. A subclass gives the fixture `database`: open, on an empty bank."""

from decimal import Decimal

import pytest

from generator.model.actions import (
    ChangeProfile,
    CloseAccount,
    CloseCustomer,
    Deposit,
    OpenAccount,
    OpenCustomer,
    Opening,
    Person,
    PlannedAction,
    Transfer,
    Withdrawal,
)
from generator.model.outcomes import Account, Committed, KnownState, Money, RolledBack
from generator.ports import BankDatabase

ADA = Person("Ada", "Byron", "ada@example.com")
ZOE = Person("Zoë", "Ångström", "zoe@example.com")


def euros(text: str) -> Decimal:
    return Decimal(text)


def opening(text: str) -> Opening:
    return Opening("CHECKING", Decimal(text))


class BankDatabaseContract:
    """Tests of the promises in `ports.BankDatabase`."""

    def commit(self, database: BankDatabase, action: object) -> Committed:
        outcome = database.perform(PlannedAction(action), None)  # type: ignore[arg-type]
        assert isinstance(outcome, Committed), outcome
        return outcome

    @pytest.fixture
    def pair(self, database: BankDatabase) -> tuple[int, int, int]:
        """Ada, with 100.00 on her first account and 50.50 on her second."""
        state = self.commit(database, OpenCustomer(ADA, (opening("100.00"), opening("50.50")))).state
        (customer,), (first, second) = state.customers, sorted(state.accounts)
        assert state.accounts[first].balance == euros("100.00")
        return customer, first, second

    def test_what_it_tells_is_what_is_there(self, database: BankDatabase, pair: tuple[int, int, int]) -> None:
        customer, first, second = pair
        moved = self.commit(database, Transfer(first, second, euros("30.25")))
        assert moved.money == Money(transferred=euros("30.25"))
        assert moved.state.accounts == {
            first: Account(customer, euros("69.75")),
            second: Account(customer, euros("80.75")),
        }
        assert database.open() == KnownState(customers={customer: ADA}, accounts=moved.state.accounts)

    def test_money_in_and_out(self, database: BankDatabase, pair: tuple[int, int, int]) -> None:
        _, first, _ = pair
        assert self.commit(database, Deposit(first, euros("0.01"))).money == Money(paid_in=euros("0.01"))
        assert self.commit(database, Withdrawal(first, euros("100.01"))).money == Money(paid_out=euros("100.01"))
        assert database.open().accounts[first].balance == 0

    def test_no_account_is_overdrawn(self, database: BankDatabase, pair: tuple[int, int, int]) -> None:
        _, first, second = pair
        before = database.open()
        for action in (Withdrawal(first, euros("100.01")), Transfer(second, first, euros("50.51"))):
            outcome = database.perform(PlannedAction(action), None)
            assert isinstance(outcome, RolledBack)
            assert outcome.reason == "stale"
            assert outcome.state.accounts.items() <= before.accounts.items()
        assert database.open() == before

    def test_a_plan_on_what_is_gone_is_stale_and_says_so(
        self, database: BankDatabase, pair: tuple[int, int, int]
    ) -> None:
        customer, first, second = pair
        self.commit(database, CloseAccount(second, None))
        for action in (Deposit(second, euros("1")), Transfer(first, second, euros("1")), CloseAccount(first, second)):
            outcome = database.perform(PlannedAction(action), None)
            assert isinstance(outcome, RolledBack)
            assert outcome.state.gone_accounts == (second,)
        self.commit(database, CloseCustomer(customer))
        for action in (OpenAccount(customer, opening("1")), ChangeProfile(customer, ZOE), CloseCustomer(customer)):
            outcome = database.perform(PlannedAction(action), None)
            assert outcome == RolledBack("stale", KnownState(gone_customers=(customer,)))
        assert database.open() == KnownState()

    def test_an_email_that_is_taken_is_named(self, database: BankDatabase, pair: tuple[int, int, int]) -> None:
        taken = Person("Another", "Ada", ADA.email)
        outcome = database.perform(PlannedAction(OpenCustomer(taken, (opening("1"),))), None)
        assert outcome == RolledBack("stale", KnownState(taken_emails=(ADA.email,)))
        self.commit(database, OpenCustomer(ZOE, (opening("1"),)))

    def test_an_account_s_money_goes_to_its_heir_or_is_paid_out(
        self, database: BankDatabase, pair: tuple[int, int, int]
    ) -> None:
        customer, first, second = pair
        assert self.commit(database, CloseAccount(first, second)).money == Money(transferred=euros("100.00"))
        assert database.open().accounts == {second: Account(customer, euros("150.50"))}
        assert self.commit(database, CloseAccount(second, None)).money == Money(paid_out=euros("150.50"))
        assert database.open() == KnownState(customers={customer: ADA})

    def test_a_customer_goes_with_every_account(self, database: BankDatabase, pair: tuple[int, int, int]) -> None:
        customer, first, second = pair
        closed = self.commit(database, CloseCustomer(customer))
        assert closed.money == Money(paid_out=euros("150.50"))
        assert (sorted(closed.state.gone_accounts), closed.state.gone_customers) == ([first, second], (customer,))
        assert database.open() == KnownState()

    def test_what_is_given_up_leaves_nothing(self, database: BankDatabase, pair: tuple[int, int, int]) -> None:
        customer, first, second = pair
        before = database.open()
        for action in (
            OpenCustomer(ZOE, (opening("5"),)),
            OpenAccount(customer, opening("5")),
            Deposit(first, euros("5")),
            Withdrawal(first, euros("5")),
            Transfer(first, second, euros("5")),
            ChangeProfile(customer, ZOE),
            CloseAccount(first, second),
            CloseCustomer(customer),
        ):
            assert database.perform(PlannedAction(action, given_up=True), None) == RolledBack("given_up")
        assert database.open() == before
        self.commit(database, Deposit(first, euros("5")))
