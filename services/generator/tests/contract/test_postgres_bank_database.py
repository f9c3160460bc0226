"""The promises of `BankDatabase`, on the real Postgres, and what only it can show."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from generator_testing.bank_database_contract import ADA, ZOE, BankDatabaseContract, opening
from generator_testing.real import LostAnswerProxy, ScratchBank
from pydantic import SecretStr

from bank_common.runtime.errors import PipelineError
from bank_common.runtime.tracing import MESSAGE_PREFIX
from generator.adapters.postgres import PostgresBankDatabase
from generator.model.actions import CloseCustomer, Deposit, OpenCustomer, PlannedAction, Transfer, Withdrawal
from generator.model.outcomes import Committed, RolledBack
from generator.ports import BankAwayError

pytestmark = pytest.mark.contract

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def database(bank: ScratchBank) -> Iterator[PostgresBankDatabase]:
    with PostgresBankDatabase(bank.settings) as opened:
        opened.open()
        yield opened


def open_customer(database: PostgresBankDatabase, *deposits: str) -> Committed:
    outcome = database.perform(PlannedAction(OpenCustomer(ADA, tuple(map(opening, deposits)))), None)
    assert isinstance(outcome, Committed)
    return outcome


class TestPostgresBankDatabase(BankDatabaseContract):
    @pytest.fixture
    def database(self, bank: ScratchBank) -> Iterator[PostgresBankDatabase]:
        with PostgresBankDatabase(bank.settings) as opened:
            opened.open()
            yield opened


def test_a_transfer_is_one_row_that_names_both_accounts(bank: ScratchBank, database: PostgresBankDatabase) -> None:
    source, target = sorted(open_customer(database, "10.00", "1.00").state.accounts)
    outcome = database.perform(PlannedAction(Transfer(source, target, Decimal("2.50"))), None)
    assert isinstance(outcome, Committed)
    assert outcome.changes == {("accounts", "update"): 2, ("transactions", "insert"): 1}
    rows = bank.rows("SELECT account_id, amount, related_account_id FROM transactions WHERE txn_type = 'TRANSFER'")
    assert rows == [(source, Decimal("2.50"), target)]


def test_deletes_that_would_cascade_are_counted(bank: ScratchBank, database: PostgresBankDatabase) -> None:
    (customer,) = open_customer(database, "10.00", "1.00").state.customers
    outcome = database.perform(PlannedAction(CloseCustomer(customer)), None)
    assert isinstance(outcome, Committed)
    # Two opening deposits and the two withdrawals that paid the money out.
    assert outcome.changes["transactions", "delete"] == 4
    assert bank.contents() == {"customers": [], "accounts": [], "transactions": []}


def test_two_connections_with_the_same_knowledge_never_overdraw(
    bank: ScratchBank, database: PostgresBankDatabase
) -> None:
    (account,) = open_customer(database, "10.00").state.accounts
    with PostgresBankDatabase(bank.settings) as other:
        known = other.open()
        assert isinstance(database.perform(PlannedAction(Withdrawal(account, Decimal("6.00"))), None), Committed)
        late = other.perform(PlannedAction(Withdrawal(account, known.accounts[account].balance)), None)
    assert isinstance(late, RolledBack)
    assert late.state.accounts[account].balance == Decimal("4.00")


def test_the_trace_travels_in_the_transaction_s_own_log(bank: ScratchBank, database: PostgresBankDatabase) -> None:
    slot = f"trace_{bank.settings.database}"
    with psycopg.connect(bank.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (slot,))
        try:
            (account,) = open_customer(database, "1.00").state.accounts
            database.perform(PlannedAction(Deposit(account, Decimal("1.00"))), TRACEPARENT)
            database.perform(
                PlannedAction(Deposit(account, Decimal("1.00")), given_up=True), TRACEPARENT.replace("b7", "c8")
            )
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


def test_a_commit_whose_answer_is_lost_is_unknown_and_there_once(
    bank: ScratchBank, database: PostgresBankDatabase
) -> None:
    (account,) = open_customer(database, "1.00").state.accounts
    where = bank.settings
    with (
        LostAnswerProxy(where.host, where.port, commit_number=3) as proxy,
        PostgresBankDatabase(bank.through(proxy.port).settings) as remote,
    ):
        remote.open()  # its read-only transaction is the first to commit
        assert isinstance(remote.perform(PlannedAction(Deposit(account, Decimal("1.00"))), None), Committed)
        with pytest.raises(BankAwayError) as lost:
            remote.perform(PlannedAction(Deposit(account, Decimal("5.00"))), None)
        assert lost.value.outcome_unknown
        assert proxy.lost.wait(timeout=10)
        with pytest.raises(BankAwayError) as closed:
            remote.perform(PlannedAction(Deposit(account, Decimal("1.00"))), None)
        assert not closed.value.outcome_unknown
        assert remote.open().accounts[account].balance in (Decimal("7.00"), Decimal("2.00"))
    assert isinstance(database.perform(PlannedAction(Deposit(account, Decimal("1.00"))), None), Committed)
    assert database.open().accounts[account].balance == Decimal("8.00")


def test_a_connection_that_breaks_before_the_commit_is_not_unknown(
    bank: ScratchBank, database: PostgresBankDatabase
) -> None:
    bank.rows(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'generator'"
    )
    with pytest.raises(BankAwayError) as away:
        database.perform(PlannedAction(OpenCustomer(ZOE, (opening("1"),))), None)
    assert not away.value.outcome_unknown
    assert database.open().customers == {}


def test_a_database_that_is_not_the_bank_s_says_what_to_do(bank: ScratchBank) -> None:
    elsewhere = bank.settings.model_copy(update={"database": "postgres"})
    with PostgresBankDatabase(elsewhere) as database, pytest.raises(PipelineError, match="bank-database-away"):
        database.open()


def test_a_refused_login_says_what_to_correct(bank: ScratchBank) -> None:
    wrong = bank.settings.model_copy(update={"user": "nobody_here", "password": SecretStr("wrong")})
    with PostgresBankDatabase(wrong) as database, pytest.raises(PipelineError, match="GENERATOR_POSTGRES__USER"):
        database.open()
