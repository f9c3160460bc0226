"""The last look, after every fault: the whole pipeline, its figures and its memory."""

import json
import ssl

import httpx
import pytest

from bank_common.names import RAW_TABLE_BY_TOPIC
from harness.reconcile import missing_changes, until_converged
from harness.stack_driver import StackDriver

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def test_chains_are_whole_raw_equals_kafka_and_money_is_conserved(stack: StackDriver) -> None:
    until_converged(stack)
    chains = json.loads(stack.bank("chain", "--json"))
    assert {chain["topic"] for chain in chains["chains"]} == set(RAW_TABLE_BY_TOPIC)
    assert all(chain["breaks"] == [] for chain in chains["chains"])
    assert missing_changes(stack) == {}
    total = "select coalesce(sum(balance), 0) from "
    mart = stack.rows(f"{total} BANK.MARTS.DIM_ACCOUNTS where is_current")[0][0]
    assert mart == stack.bank_rows(f"{total} accounts")[0][0]


def test_everything_is_healthy_within_the_memory_promised(stack: StackDriver) -> None:
    assert [name for name, healthy in stack.health().items() if not healthy] == []
    taken = stack.memory_bytes()
    print(f"\nmemory of the whole stack: {taken / 2**30:.2f} GiB")
    assert 0 < taken <= stack.promised_bytes


def test_the_warehouse_answers_over_tls_with_a_certificate_of_the_stacks_own_authority(stack: StackDriver) -> None:
    trusted = ssl.create_default_context(cafile=stack.stack.state_dir / "secrets" / "ca.pem")
    port = stack.stack.port("snowflake_tls")
    assert httpx.get(f"https://127.0.0.1:{port}/readyz", verify=trusted).status_code == httpx.codes.OK


@pytest.mark.parametrize(("dag", "event"), [("load_raw", "load_ended"), ("build_marts", "marts_built")])
def test_a_tasks_own_log_says_what_it_did(stack: StackDriver, dag: str, event: str) -> None:
    assert stack.task_logged(dag, event)
