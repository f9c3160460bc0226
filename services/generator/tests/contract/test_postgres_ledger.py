"""The promises of `Ledger`, on the real Postgres, and what only it can show."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from generator_world.ledger_contract import ADA, ZOE, LedgerContract, opening
from generator_world.real import LostAnswerProxy, ScratchBank
from pydantic import SecretStr

from bank_common.errors import PipelineError
from bank_common.tracing import MESSAGE_PREFIX
from generator.actions import CloseCustomer, Deposit, OpenCustomer, Plan, Transfer, Withdrawal
from generator.adapters.postgres import PostgresLedger
from generator.outcomes import Committed, RolledBack
from generator.ports import BankAwayError

pytestmark = pytest.mark.contract

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def ledger(bank: ScratchBank) -> Iterator[PostgresLedger]:
    with PostgresLedger(bank.settings) as opened:
        opened.open()
        yield opened


def open_customer(ledger: PostgresLedger, *deposits: str) -> Committed:
    outcome = ledger.perform(Plan(OpenCustomer(ADA, tuple(map(opening, deposits)))), None)
    assert isinstance(outcome, Committed)
    return outcome


class TestPostgresLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, bank: ScratchBank) -> Iterator[PostgresLedger]:
        with PostgresLedger(bank.settings) as opened:
            opened.open()
            yield opened


def test_a_transfer_is_one_row_that_names_both_accounts(bank: ScratchBank, ledger: PostgresLedger) -> None:
    source, target = sorted(open_customer(ledger, "10.00", "1.00").facts.accounts)
    outcome = ledger.perform(Plan(Transfer(source, target, Decimal("2.50"))), None)
    assert isinstance(outcome, Committed)
    assert outcome.changes == {("accounts", "update"): 2, ("transactions", "insert"): 1}
    found = bank.rows("SELECT account_id, amount, related_account_id FROM transactions WHERE txn_type = 'TRANSFER'")
    assert found == [(source, Decimal("2.50"), target)]


def test_deletes_that_would_cascade_are_counted(bank: ScratchBank, ledger: PostgresLedger) -> None:
    (customer,) = open_customer(ledger, "10.00", "1.00").facts.customers
    outcome = ledger.perform(Plan(CloseCustomer(customer)), None)
    assert isinstance(outcome, Committed)
    # Two opening deposits and the two withdrawals that paid the money out.
    assert outcome.changes["transactions", "delete"] == 4
    assert bank.contents() == {"customers": [], "accounts": [], "transactions": []}


def test_two_ledgers_with_the_same_knowledge_never_overdraw(bank: ScratchBank, ledger: PostgresLedger) -> None:
    (account,) = open_customer(ledger, "10.00").facts.accounts
    with PostgresLedger(bank.settings) as other:
        known = other.open()
        assert isinstance(ledger.perform(Plan(Withdrawal(account, Decimal("6.00"))), None), Committed)
        late = other.perform(Plan(Withdrawal(account, known.accounts[account].balance)), None)
    assert isinstance(late, RolledBack)
    assert late.facts.accounts[account].balance == Decimal("4.00")


def test_the_trace_travels_in_the_transaction_s_own_log(bank: ScratchBank, ledger: PostgresLedger) -> None:
    slot = f"trace_{bank.settings.database}"
    with psycopg.connect(bank.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
        try:
            (account,) = open_customer(ledger, "1.00").facts.accounts
            ledger.perform(Plan(Deposit(account, Decimal("1.00"))), TRACEPARENT)
            ledger.perform(Plan(Deposit(account, Decimal("1.00")), given_up=True), TRACEPARENT.replace("b7", "c8"))
            read = superuser.execute(
                "SELECT xid::text, data FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, "
                "'proto_version', '1', 'publication_names', 'bank_cdc', 'messages', 'true')",
                (slot,),
            ).fetchall()
        finally:
            superuser.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    messages = [(xid, data) for xid, data in read if data.startswith(b"M")]
    assert len(messages) == 1
    assert MESSAGE_PREFIX.encode() + b"\0" in messages[0][1]
    assert messages[0][1].endswith(TRACEPARENT.encode())
    assert any(data.startswith(b"U") for xid, data in read if xid == messages[0][0])


def test_a_commit_whose_answer_is_lost_is_unknown_and_there_once(bank: ScratchBank, ledger: PostgresLedger) -> None:
    (account,) = open_customer(ledger, "1.00").facts.accounts
    where = bank.settings
    with (
        LostAnswerProxy(where.host, where.port, commit_number=3) as proxy,
        PostgresLedger(bank.through(proxy.port).settings) as remote,
    ):
        remote.open()  # its read-only transaction is the first to commit
        assert isinstance(remote.perform(Plan(Deposit(account, Decimal("1.00"))), None), Committed)
        with pytest.raises(BankAwayError) as lost:
            remote.perform(Plan(Deposit(account, Decimal("5.00"))), None)
        assert lost.value.outcome_unknown
        assert proxy.lost.wait(timeout=10)
        with pytest.raises(BankAwayError) as closed:
            remote.perform(Plan(Deposit(account, Decimal("1.00"))), None)
        assert not closed.value.outcome_unknown
        assert remote.open().accounts[account].balance in (Decimal("7.00"), Decimal("2.00"))
    assert isinstance(ledger.perform(Plan(Deposit(account, Decimal("1.00"))), None), Committed)
    assert ledger.open().accounts[account].balance == Decimal("8.00")


def test_a_connection_that_breaks_before_the_commit_is_not_unknown(bank: ScratchBank, ledger: PostgresLedger) -> None:
    bank.rows(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'generator'"
    )
    with pytest.raises(BankAwayError) as away:
        ledger.perform(Plan(OpenCustomer(ZOE, (opening("1"),))), None)
    assert not away.value.outcome_unknown
    assert ledger.open().customers == {}


def test_a_database_that_is_not_the_bank_s_says_what_to_do(bank: ScratchBank) -> None:
    elsewhere = bank.settings.model_copy(update={"database": "postgres"})
    with PostgresLedger(elsewhere) as ledger, pytest.raises(PipelineError, match="bank provision"):
        ledger.open()


def test_a_refused_login_says_what_to_correct(bank: ScratchBank) -> None:
    wrong = bank.settings.model_copy(update={"user": "nobody_here", "password": SecretStr("wrong")})
    with PostgresLedger(wrong) as ledger, pytest.raises(PipelineError, match="GENERATOR_POSTGRES__USER"):
        ledger.open()
