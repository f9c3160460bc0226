"""Kills at every hop lose and double nothing, and the marts converge unattended, with no new data."""

import pytest

from harness.reconcile import until_converged
from harness.stack_driver import StackDriver
from harness.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def _loaded_rows(stack: StackDriver) -> int:
    return stack.number("select count(*) from BANK.RAW.TRANSACTIONS")


def test_killing_the_consumer_midway_loses_and_doubles_nothing(converged: StackDriver) -> None:
    stack = converged
    with stack.generating("--seed", "11", "--customers", "5", "--transactions", "300", "--rate", "20") as run:
        for _ in range(2):
            before = _loaded_rows(stack)
            stack.kill("cdc-consumer")
            assert not stack.health()["cdc-consumer"]
            stack.revive("cdc-consumer")

            def moved_on(seen: int = before) -> bool:
                # Where a kill and a start take long, the generator may have ended, and all of it is there already.
                return _loaded_rows(stack) > seen or run.poll() is not None

            until("new rows are in RAW after the kill", moved_on, seconds=240)
        run.wait(200)
        assert run.returncode == 0
    until_converged(stack)
    assert "gap" not in stack.bank("chain"), "the landing chain has a break"


def test_a_killed_load_and_then_a_killed_build_are_made_good_without_new_data(converged: StackDriver) -> None:
    stack = converged
    stack.generate("--seed", "13", "--customers", "3", "--transactions", "100")
    # A task's process is named by its id.
    stack.kill_descendant("airflow-scheduler", "airflow worker --", seconds=240)
    stack.kill_descendant("dbt-warm", "dbt build", seconds=240)
    until_converged(stack, seconds=300)


@pytest.mark.drill
def test_killing_connect_and_the_store_loses_nothing(converged: StackDriver) -> None:
    stack = converged
    with stack.generating("--seed", "19", "--customers", "3", "--transactions", "500", "--rate", "20") as run:
        for component in ("minio", "connect"):
            stack.kill(component)
            stack.revive(component)
        run.wait(200)
        assert run.returncode == 0
    until_converged(stack, seconds=240)
