from collections import Counter
from decimal import Decimal

from generator_testing.memory import InMemoryBankDatabase
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.model.actions import OpenCustomer, PlannedAction, Transfer, Withdrawal
from generator.model.bank import Bank
from generator.model.outcomes import Committed, Money, RolledBack
from generator.model.people import free_email
from generator.model.planner import Planner


def run(seed: int, customers: int, transactions: int) -> tuple[InMemoryBankDatabase, Money]:
    database, bank, money = InMemoryBankDatabase(), Bank(), Money()
    for plan in Planner(bank, seed, accounts_per_customer=3).plans(customers, transactions):
        match plan.action:
            case Withdrawal(account_id=payer, amount=amount) | Transfer(source_id=payer, amount=amount):
                assert Decimal(0) < amount <= database.accounts[payer].balance
            case _:
                pass
        outcome = database.perform(plan, None)
        if isinstance(outcome, Committed):
            money = money + outcome.money
        bank.learn(outcome.state)
        assert not (isinstance(outcome, RolledBack) and outcome.reason == "stale"), plan
        assert bank.accounts == database.accounts
        assert bank.customers == database.customers
    return database, money


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 5), st.integers(0, 150))
def test_plans_always_fit_the_bank_and_money_is_conserved(seed: int, customers: int, transactions: int) -> None:
    database, money = run(seed, customers, transactions)
    assert database.total() == money.paid_in - money.paid_out
    assert len(database.performed) == customers + transactions
    assert all(isinstance(plan.action, OpenCustomer) for plan in database.performed[:customers])


def test_a_seed_decides_everything() -> None:
    assert run(7, 5, 300)[0].performed == run(7, 5, 300)[0].performed
    assert run(7, 5, 300)[0].performed != run(8, 5, 300)[0].performed


def test_every_kind_comes_and_some_are_given_up() -> None:
    plans: list[PlannedAction] = run(1, 10, 2000)[0].performed
    kinds = Counter(plan.action.kind for plan in plans)
    assert len(kinds) == 8
    assert min(kinds.values()) >= 5
    assert 10 <= sum(plan.given_up for plan in plans) <= 90


def test_amounts_have_two_decimals() -> None:
    database, _ = run(3, 10, 500)
    assert {account.balance.as_tuple().exponent for account in database.accounts.values()} == {-2}


def test_names_beyond_ascii_come_and_emails_stay_plain() -> None:
    people = [plan.action.person for plan in run(5, 100, 0)[0].performed if isinstance(plan.action, OpenCustomer)]
    assert any(not person.last_name.isascii() for person in people)
    assert all(person.email.isascii() and person.email.endswith("@example.com") for person in people)


@given(st.text(max_size=20), st.text(max_size=20))
def test_an_email_is_free_and_fits_its_column(first_name: str, last_name: str) -> None:
    taken = {free_email(first_name, last_name, lambda _: True)}
    taken.add(free_email(first_name, last_name, lambda email: email not in taken))
    email = free_email(first_name, last_name, lambda email: email not in taken)
    assert email not in taken
    assert len(taken) == 2
    assert len(email) <= 255
