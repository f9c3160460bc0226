from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from generator.model.actions import Person
from generator.model.bank import Bank, Roster
from generator.model.outcomes import Account, KnownState


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9))))
def test_a_roster_is_a_set_that_can_choose(steps: list[tuple[bool, int]]) -> None:
    roster, model = Roster(), set[int]()
    for add, identity in steps:
        (roster.add if add else roster.discard)(identity)
        (model.add if add else model.discard)(identity)
    assert len(roster) == len(model)
    random = Random(1)
    assert {roster.choose(random) for _ in range(300) if model} == model


def test_a_customer_that_is_gone_takes_its_accounts_and_frees_its_email() -> None:
    bank = Bank()
    accounts = {2: Account(1, Decimal(0)), 3: Account(1, Decimal(0))}
    bank.learn(KnownState(customers={1: Person("A", "B", "a@example.com")}, accounts=accounts))
    assert bank.accounts_of(1) == (2, 3)
    assert not bank.email_is_free("a@example.com")
    bank.learn(KnownState(gone_customers=(1,)))
    assert (bank.customers, bank.accounts, bank.accounts_of(1)) == ({}, {}, ())
    assert bank.email_is_free("a@example.com")


def test_a_new_email_replaces_the_old_one() -> None:
    bank = Bank()
    bank.learn(KnownState(customers={1: Person("A", "B", "old@example.com")}))
    bank.learn(KnownState(customers={1: Person("A", "C", "new@example.com")}))
    assert bank.email_is_free("old@example.com")
    assert not bank.email_is_free("new@example.com")


def test_replacing_forgets_what_was_known() -> None:
    bank = Bank()
    bank.learn(KnownState(customers={1: Person("A", "B", "a@example.com")}, taken_emails=("x@example.com",)))
    bank.replace(KnownState(customers={5: Person("C", "D", "c@example.com")}))
    assert list(bank.customers) == [5]
    assert bank.choose_customer(Random(0)) == 5
    assert bank.email_is_free("x@example.com")
