"""The generator as a process on the real Postgres. The oracle is SQL."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
from component_testing.waiting import until
from generator_testing.real import GeneratorProcess, ScratchBank, scratch_bank

from bankctl.stack.stack import Stack

pytestmark = [pytest.mark.contract, pytest.mark.timeout(180)]

SIZES = ("--customers", "15", "--transactions", "600")


def held(bank: ScratchBank) -> Decimal:
    """All the money on all accounts; no account may be below zero."""
    ((total, lowest),) = bank.rows("SELECT coalesce(sum(balance), 0), coalesce(min(balance), 0) FROM accounts")
    assert lowest >= 0
    return total


def brought(*summaries: dict[str, Any]) -> Decimal:
    """The money that came in minus the money that went out, by the summaries."""
    return sum((Decimal(s["money"]["paid_in"]) - Decimal(s["money"]["paid_out"]) for s in summaries), Decimal(0))


def assert_postings_add_up(bank: ScratchBank) -> None:
    """Every balance is the sum of every posting that ever named the account, by the database's own audit."""
    balances = bank.rows("SELECT id, balance FROM accounts ORDER BY id")
    assert len(balances) > 5
    assert balances == bank.rows(
        """
        SELECT a.id, sum(CASE WHEN p.txn_type = 'DEPOSIT' OR p.account_id <> a.id THEN p.amount ELSE -p.amount END)
        FROM accounts a JOIN audit p ON a.id IN (p.account_id, p.related_account_id)
        GROUP BY a.id ORDER BY a.id
        """
    )


def run_once(bank: ScratchBank, *arguments: str) -> dict[str, Any]:
    with GeneratorProcess(bank, "--once", *arguments) as process:
        return process.summary()


def assert_counted(bank: ScratchBank, *summaries: dict[str, Any]) -> None:
    """The rows that are there are those inserted less those deleted."""
    for table, rows in bank.contents().items():
        counts = [summary["changes"][table] for summary in summaries]
        assert len(rows) == sum(count["insert"] - count["delete"] for count in counts), table


def test_money_is_conserved_and_everything_is_counted(bank: ScratchBank) -> None:
    summary = run_once(bank, "--seed", "3", *SIZES)
    assert held(bank) == brought(summary)
    assert_counted(bank, summary)
    changes = summary["changes"]
    assert all(changes["customers"].values())
    assert all(changes["accounts"].values())
    assert summary["transactions"]["given_up"] > 0
    assert summary["transactions"]["stale"] == summary["transactions"]["unknown"] == 0
    assert summary["transactions"]["committed"] + summary["transactions"]["given_up"] == 615
    ((within,),) = bank.rows(
        f"SELECT '{summary['lsn']['first']}'::pg_lsn < '{summary['lsn']['last']}' "
        f"AND '{summary['lsn']['last']}' <= pg_current_wal_lsn()"
    )
    assert within


def test_each_account_is_the_sum_of_its_postings(bank: ScratchBank) -> None:
    bank.audit()
    run_once(bank, "--seed", "5", *SIZES)
    assert_postings_add_up(bank)


def test_the_same_seed_gives_the_same_rows(bank: ScratchBank, stack: Stack) -> None:
    with scratch_bank(stack) as other:
        first, second = run_once(bank, "--seed", "7", *SIZES), run_once(other, "--seed", "7", *SIZES)
        assert bank.contents() == other.contents()
        assert first["changes"] == second["changes"]
        run_once(other, "--seed", "8", "--customers", "1", "--transactions", "0")
        assert bank.contents() != other.contents()


def test_a_second_run_continues_with_what_is_there(bank: ScratchBank) -> None:
    summaries = [run_once(bank, "--seed", "7", *SIZES) for _ in range(2)]
    assert held(bank) == brought(*summaries)
    assert_counted(bank, *summaries)
    assert summaries[1]["transactions"]["stale"] == 0


def test_two_generators_side_by_side_neither_block_nor_lose_money(bank: ScratchBank) -> None:
    first = run_once(bank, "--seed", "1", "--customers", "4", "--transactions", "0")
    with (
        GeneratorProcess(bank, "--once", "--seed", "11", "--customers", "0", "--transactions", "600") as one,
        GeneratorProcess(bank, "--once", "--seed", "12", "--customers", "0", "--transactions", "600") as two,
    ):
        summaries = [first, one.summary(), two.summary()]
    assert held(bank) == brought(*summaries)
    assert_counted(bank, *summaries)
    ((deadlocks,),) = bank.rows("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert deadlocks == 0


def committed(bank: ScratchBank) -> int:
    ((number,),) = bank.rows("SELECT count(*) FROM transactions")
    return number


def test_sigterm_ends_a_loop_cleanly_and_health_is_served(bank: ScratchBank) -> None:
    with GeneratorProcess(bank, "--rate", "200", "--seed", "4", "--customers", "5") as process:
        until("it is at work", lambda: committed(bank) > 50)
        assert httpx.get(f"{process.health}/healthz").status_code == 200
        assert httpx.get(f"{process.health}/readyz").status_code == 200
        assert 'bank_generator_transactions_total{kind="deposit",outcome="committed"}' in (
            httpx.get(f"{process.health}/metrics").text
        )
        process.terminate()
        summary = process.summary(seconds=10)
    assert held(bank) == brought(summary)
    assert_counted(bank, summary)


def test_a_loop_outlives_lost_connections_and_knows_the_bank_again(bank: ScratchBank) -> None:
    kill = (
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'generator'"
    )
    bank.audit()
    with GeneratorProcess(bank, "--rate", "300", "--seed", "4", "--customers", "5") as process:
        for _ in range(4):
            before = committed(bank)
            until("it goes on", lambda seen=before: committed(bank) > seen + 20)
            assert bank.rows(kill) == [(1,)]
        before = committed(bank)
        until("it goes on", lambda: committed(bank) > before + 20)
        process.terminate()
        summary = process.summary(seconds=10)
    assert summary["reconnects"] == 4
    assert summary["transactions"]["unknown"] <= 4
    assert_postings_add_up(bank)
    if summary["transactions"]["unknown"] == 0:
        assert held(bank) == brought(summary)
        assert_counted(bank, summary)
