import re
from pathlib import Path
from typing import get_args

import pytest

from bank_common.envelope.events import DecodeError, DecodeErrorReason
from bank_common.landing.segments import TopicPartition
from bank_common.runtime.errors import Halt, Retry, ToDeadLetters
from cdc_consumer import failures as f
from cdc_consumer.consume.dependencies import DEPENDENCIES, dependency_of
from cdc_consumer.model.dead_letter_limit import LimitExceeded
from cdc_consumer.model.resume import PartitionState, Refusal, Refused

TOPIC_PARTITION = TopicPartition("bank.public.accounts", 2)
STATE = PartitionState(None, 7, 0, 9, "id")
UNDECODABLE = {
    reason: f.Undecodable(TOPIC_PARTITION, 41, DecodeError(reason, "detail")) for reason in DecodeErrorReason
}
HALTING = [
    UNDECODABLE[DecodeErrorReason.UNSUPPORTED_SCHEMA],
    f.TooManyRejected(UNDECODABLE[DecodeErrorReason.BAD_MAGIC], LimitExceeded(120, 1000)),
    f.TooManyRejected(UNDECODABLE[DecodeErrorReason.BAD_MAGIC], LimitExceeded(120, None)),
    f.DeadLettersUnavailable("down"),
    *(Refused(TOPIC_PARTITION, refusal, STATE) for refusal in Refusal),
    f.BrokenTail("some/key", "detail"),
    f.KafkaFatal("fenced"),
]
ISOLATED = [failure for reason, failure in UNDECODABLE.items() if reason is not DecodeErrorReason.UNSUPPORTED_SCHEMA]
WAITING = [
    f.StoreUnavailable("x"),
    f.StoreDenied("x"),
    f.BucketMissing("x"),
    f.RegistryUnavailable("x"),
    f.KafkaUnavailable("x"),
    f.TopicMissing("x"),
]


def runbook_of(advice: str) -> Path:
    """The runbook that an advice ends with."""
    match = re.search(r" Runbook: (infra/runbooks/[a-z-]+\.md)\.$", advice)
    assert match is not None, advice
    return Path(__file__).parents[4] / match[1]


def test_every_failure_is_in_one_of_the_lists() -> None:
    assert {type(failure) for failure in (*HALTING, *WAITING, *ISOLATED)} == set(get_args(f.Failure))


@pytest.mark.parametrize("failure", HALTING, ids=str)
def test_going_on_would_lose_data(failure: f.Failure) -> None:
    assert isinstance(f.error_policy(failure), Halt)


@pytest.mark.parametrize("failure", ISOLATED, ids=str)
def test_one_bad_record_stops_nothing(failure: f.Failure) -> None:
    assert isinstance(f.error_policy(failure), ToDeadLetters)


@pytest.mark.parametrize("failure", WAITING, ids=str)
def test_waiting_heals(failure: f.Failure) -> None:
    assert isinstance(f.error_policy(failure), Retry)


@pytest.mark.parametrize("failure", [*HALTING, *WAITING, *ISOLATED], ids=str)
def test_each_says_what_was_seen_and_what_to_do(failure: f.Failure) -> None:
    assert f.describe(failure).endswith(".")
    assert runbook_of(f.error_policy(failure).advice).is_file()
    assert dependency_of(failure) in DEPENDENCIES


def test_a_halt_names_topic_partition_and_offset() -> None:
    failure = f.Undecodable(TOPIC_PARTITION, 41, DecodeError(DecodeErrorReason.BAD_MAGIC, "detail"))
    assert "bank.public.accounts/2 offset 41" in f.describe(failure)


@pytest.mark.parametrize("failure", [*HALTING, *WAITING, *ISOLATED], ids=str)
def test_no_advice_costs_the_bank_s_data(failure: f.Failure) -> None:
    advice = f.error_policy(failure).advice
    assert "`bank " not in advice
    assert "wipe" not in advice
