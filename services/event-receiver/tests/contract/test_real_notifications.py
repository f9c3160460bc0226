"""MinIO itself notifies the receiver; Airflow's side is a listener, for the real one is met in the end-to-end suite."""

import asyncio

import httpx
import pytest
from component_testing.waiting import until
from receiver_testing.notifications import about
from receiver_testing.real import TRACEPARENT, ListeningAirflow, ReceiverProcess, landed, unused_key

from bank_common.landing.segments import SegmentKey
from bankctl.stack.stack import Stack

pytestmark = [pytest.mark.contract, pytest.mark.timeout(180)]


def test_a_landed_segment_wakes_the_load_with_its_key_and_trace(stack: Stack) -> None:
    key = unused_key()
    with ListeningAirflow(polls=1) as airflow, ReceiverProcess(stack, airflow.url) as receiver:
        until("the unconditional first wake-up", lambda: airflow.runs)
        with landed(stack, key):
            trigger = until("the load is woken", lambda: airflow.hinted(key))
        assert trigger["logical_date"] is None
        assert trigger["conf"]["traceparent"] == TRACEPARENT
        assert receiver.metric('bank_receiver_events_total{outcome="accepted"}') >= 1


def test_an_object_that_is_no_segment_is_acknowledged_and_wakes_nobody(stack: Stack) -> None:
    odd, key = "canary 4711/a+b=é%.parquet", unused_key()
    with ListeningAirflow(polls=1) as airflow, ReceiverProcess(stack, airflow.url) as receiver:
        with landed(stack, odd):
            poisoned = 'bank_receiver_events_total{outcome="poison_key"}'
            # Both of the store's targets have delivered it: neither has it in its queue any more.
            until("the poison is counted", lambda: receiver.metric(poisoned) >= 2)
        with landed(stack, key):
            until("what comes behind it is delivered", lambda: airflow.hinted(key))
        assert all("canary" not in str(trigger) for trigger in airflow.triggers)
        assert "canary" not in receiver.stop()


def test_what_landed_while_the_receiver_was_down_is_delivered_later(stack: Stack) -> None:
    key = unused_key()
    with landed(stack, key), ListeningAirflow(polls=1) as airflow, ReceiverProcess(stack, airflow.url):
        until("the load is woken for it", lambda: airflow.hinted(key))


def test_a_storm_with_lost_answers_queues_one_run_at_a_time(stack: Stack) -> None:
    async def storm(receiver: ReceiverProcess) -> set[int]:
        limits = httpx.Limits(max_connections=20)
        headers = {"Authorization": f"Bearer {receiver.token}"}
        async with httpx.AsyncClient(limits=limits, headers=headers, timeout=httpx.Timeout(60, pool=None)) as client:
            url = f"{receiver.url}/minio/events"
            bodies = [about(SegmentKey("bank.public.accounts", 0, number)) for number in range(1000)]
            answers = await asyncio.gather(*(client.post(url, content=body) for body in bodies))
        return {answer.status_code for answer in answers}

    with ListeningAirflow(lose_every=3) as airflow, ReceiverProcess(stack, airflow.url) as receiver:
        assert asyncio.run(storm(receiver)) == {200}
        until("nothing is owed any more", lambda: receiver.metric("bank_receiver_dirty") == 0)
        assert airflow.most_queued == 1
        assert len(airflow.triggers) < 100
        sent = {trigger["dag_run_id"]: trigger for trigger in airflow.triggers}
        assert all(trigger == sent[trigger["dag_run_id"]] for trigger in airflow.triggers)


def test_sigterm_is_clean_and_a_restart_wakes_once_under_a_new_name(stack: Stack) -> None:
    with ListeningAirflow() as airflow:
        for starts in (1, 2):
            with ReceiverProcess(stack, airflow.url) as receiver:
                until(
                    "it wakes the load",
                    lambda seen=starts: len({run.rpartition("__")[0] for run in airflow.runs}) == seen,
                )
                receiver.stop()
        assert [run for run in airflow.runs if run.endswith("__1")] != []
        assert len({run.split("__")[1] for run in airflow.runs}) == 2


def test_sigterm_is_clean_while_airflow_is_away(stack: Stack) -> None:
    receiver = ReceiverProcess(stack, "http://127.0.0.1:9")
    until("it is alive", lambda: _alive(receiver.url))
    answer = httpx.get(f"{receiver.url}/readyz")
    assert answer.status_code == 503
    assert "airflow" in answer.text
    receiver.stop()


def _alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
