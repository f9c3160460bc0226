"""What every `Ledger` promises, as tests. A subclass gives the fixture `ledger`: open, on an empty bank."""

from decimal import Decimal

import pytest

from generator.actions import (
    ChangeProfile,
    CloseAccount,
    CloseCustomer,
    Deposit,
    OpenAccount,
    OpenCustomer,
    Opening,
    Person,
    Plan,
    Transfer,
    Withdrawal,
)
from generator.outcomes import Account, Committed, Facts, Money, RolledBack
from generator.ports import Ledger

ADA = Person("Ada", "Byron", "ada@example.com")
ZOE = Person("Zoë", "Ångström", "zoe@example.com")


def euros(text: str) -> Decimal:
    return Decimal(text)


def opening(text: str) -> Opening:
    return Opening("CHECKING", Decimal(text))


class LedgerContract:
    """Tests of the promises in `ports.Ledger`."""

    def commit(self, ledger: Ledger, action: object) -> Committed:
        outcome = ledger.perform(Plan(action), None)  # type: ignore[arg-type]
        assert isinstance(outcome, Committed), outcome
        return outcome

    @pytest.fixture
    def pair(self, ledger: Ledger) -> tuple[int, int, int]:
        """Ada, with 100.00 on her first account and 50.50 on her second."""
        facts = self.commit(ledger, OpenCustomer(ADA, (opening("100.00"), opening("50.50")))).facts
        (customer,), (first, second) = facts.customers, sorted(facts.accounts)
        assert facts.accounts[first].balance == euros("100.00")
        return customer, first, second

    def test_what_it_tells_is_what_is_there(self, ledger: Ledger, pair: tuple[int, int, int]) -> None:
        customer, first, second = pair
        moved = self.commit(ledger, Transfer(first, second, euros("30.25")))
        assert moved.money == Money(transferred=euros("30.25"))
        assert moved.facts.accounts == {
            first: Account(customer, euros("69.75")),
            second: Account(customer, euros("80.75")),
        }
        assert ledger.open() == Facts(customers={customer: ADA}, accounts=moved.facts.accounts)

    def test_money_in_and_out(self, ledger: Ledger, pair: tuple[int, int, int]) -> None:
        _, first, _ = pair
        assert self.commit(ledger, Deposit(first, euros("0.01"))).money == Money(paid_in=euros("0.01"))
        assert self.commit(ledger, Withdrawal(first, euros("100.01"))).money == Money(paid_out=euros("100.01"))
        assert ledger.open().accounts[first].balance == 0

    def test_no_account_is_overdrawn(self, ledger: Ledger, pair: tuple[int, int, int]) -> None:
        _, first, second = pair
        before = ledger.open()
        for action in (Withdrawal(first, euros("100.01")), Transfer(second, first, euros("50.51"))):
            outcome = ledger.perform(Plan(action), None)
            assert isinstance(outcome, RolledBack)
            assert outcome.reason == "stale"
            assert outcome.facts.accounts.items() <= before.accounts.items()
        assert ledger.open() == before

    def test_a_plan_on_what_is_gone_is_stale_and_says_so(self, ledger: Ledger, pair: tuple[int, int, int]) -> None:
        customer, first, second = pair
        self.commit(ledger, CloseAccount(second, None))
        for action in (Deposit(second, euros("1")), Transfer(first, second, euros("1")), CloseAccount(first, second)):
            outcome = ledger.perform(Plan(action), None)
            assert isinstance(outcome, RolledBack)
            assert outcome.facts.gone_accounts == (second,)
        self.commit(ledger, CloseCustomer(customer))
        for action in (OpenAccount(customer, opening("1")), ChangeProfile(customer, ZOE), CloseCustomer(customer)):
            outcome = ledger.perform(Plan(action), None)
            assert outcome == RolledBack("stale", Facts(gone_customers=(customer,)))
        assert ledger.open() == Facts()

    def test_an_email_that_is_taken_is_named(self, ledger: Ledger, pair: tuple[int, int, int]) -> None:
        taken = Person("Another", "Ada", ADA.email)
        outcome = ledger.perform(Plan(OpenCustomer(taken, (opening("1"),))), None)
        assert outcome == RolledBack("stale", Facts(taken_emails=(ADA.email,)))
        self.commit(ledger, OpenCustomer(ZOE, (opening("1"),)))

    def test_an_account_s_money_goes_to_its_heir_or_is_paid_out(
        self, ledger: Ledger, pair: tuple[int, int, int]
    ) -> None:
        customer, first, second = pair
        assert self.commit(ledger, CloseAccount(first, second)).money == Money(transferred=euros("100.00"))
        assert ledger.open().accounts == {second: Account(customer, euros("150.50"))}
        assert self.commit(ledger, CloseAccount(second, None)).money == Money(paid_out=euros("150.50"))
        assert ledger.open() == Facts(customers={customer: ADA})

    def test_a_customer_goes_with_every_account(self, ledger: Ledger, pair: tuple[int, int, int]) -> None:
        customer, first, second = pair
        closed = self.commit(ledger, CloseCustomer(customer))
        assert closed.money == Money(paid_out=euros("150.50"))
        assert (sorted(closed.facts.gone_accounts), closed.facts.gone_customers) == ([first, second], (customer,))
        assert ledger.open() == Facts()

    def test_what_is_given_up_leaves_nothing(self, ledger: Ledger, pair: tuple[int, int, int]) -> None:
        customer, first, second = pair
        before = ledger.open()
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
            assert ledger.perform(Plan(action, given_up=True), None) == RolledBack("given_up")
        assert ledger.open() == before
        self.commit(ledger, Deposit(first, euros("5")))
