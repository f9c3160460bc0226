"""The failures of the consumer, a closed set, and the error policy of each one, with advice for the operator."""

from dataclasses import dataclass
from typing import assert_never

from bank_common.envelope.events import DecodeError, DecodeErrorReason
from bank_common.landing.segments import TopicPartition
from bank_common.runtime.errors import ErrorPolicy, Halt, PipelineError, Retry, ToDeadLetters
from cdc_consumer.model.dead_letter_limit import LimitExceeded
from cdc_consumer.model.resume import Refusal, Refused


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A record can't be decoded."""

    topic_partition: TopicPartition
    offset: int
    error: DecodeError


@dataclass(frozen=True, slots=True)
class TooManyRejected:
    """The dead-letter limit of a partition is exceeded; `first` is the first undecodable record."""

    first: Undecodable
    exceeded: LimitExceeded


@dataclass(frozen=True, slots=True)
class DeadLettersUnavailable:
    """A dead letter was not acknowledged."""

    detail: str


@dataclass(frozen=True, slots=True)
class BrokenTail:
    """The last object of a chain has not the key or the metadata of a segment."""

    key: str
    detail: str


@dataclass(frozen=True, slots=True)
class StoreUnavailable:
    """The object store gave no answer, or an error of its own."""

    detail: str


@dataclass(frozen=True, slots=True)
class StoreDenied:
    """The object store refuses our access key."""

    detail: str


@dataclass(frozen=True, slots=True)
class BucketMissing:
    """The landing bucket does not exist."""

    detail: str


@dataclass(frozen=True, slots=True)
class RegistryUnavailable:
    """The schema registry gave no usable answer."""

    detail: str


@dataclass(frozen=True, slots=True)
class KafkaUnavailable:
    """Kafka did not answer a question in time, or is not ready to."""

    detail: str


@dataclass(frozen=True, slots=True)
class TopicMissing:
    """A topic that is to be landed does not exist."""

    topic: str


@dataclass(frozen=True, slots=True)
class KafkaFatal:
    """The Kafka client can't go on, e.g. another process took over its place in the group."""

    detail: str


Failure = (
    Undecodable
    | TooManyRejected
    | DeadLettersUnavailable
    | Refused
    | BrokenTail
    | StoreUnavailable
    | StoreDenied
    | BucketMissing
    | RegistryUnavailable
    | KafkaUnavailable
    | TopicMissing
    | KafkaFatal
)


class FailedError(PipelineError):
    """Carries one `Failure` to where its policy is applied."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(describe(failure), advice=error_policy(failure).advice)
        self.failure = failure


def error_policy(failure: Failure) -> ErrorPolicy:  # noqa: PLR0912 - one case a failure
    """The error policy of a failure, with a sentence of advice for the operator."""
    match failure:
        case Undecodable(topic_partition, offset, error):
            return _of_undecodable(topic_partition, offset, error.reason)
        case TooManyRejected(first):
            return Halt(
                f"Nothing was skipped: {first.topic_partition} stands before this batch. Find what the producer or the "
                "registry changed, then start the consumer again: it reads the batch again. Limits: "
                "CDC_CONSUMER_REJECTED_MAX_RATIO and …_MAX_RUN.",
                runbook="undecodable-records",
            )
        case DeadLettersUnavailable():
            return Halt(
                "What can't be kept as a dead letter is not dropped. See whether Kafka runs and has the topic "
                "CDC_CONSUMER_DEAD_LETTERS_TOPIC, then start the consumer again: it reads those records again.",
                runbook="kafka-not-answering",
            )
        case Refused(_, refusal):
            return _of_refusal(refusal)
        case BrokenTail(key):
            return Halt(
                f"Keep the bucket as it is, and look at {key}: only the consumer writes segments.",
                runbook="damaged-segment",
            )
        case StoreUnavailable():
            return Retry(
                "Reading pauses until the object store at CDC_CONSUMER_STORE__ENDPOINT answers.",
                runbook="object-store-not-answering",
            )
        case StoreDenied():
            return Retry(
                "Check CDC_CONSUMER_STORE__ACCESS_KEY and …SECRET_KEY; reading pauses until they are accepted.",
                runbook="object-store-not-answering",
            )
        case BucketMissing():
            return Retry(
                "Check CDC_CONSUMER_BUCKET; reading pauses until the bucket is there.",
                runbook="object-store-not-answering",
            )
        case RegistryUnavailable():
            return Retry(
                "Reading pauses until the registry at CDC_CONSUMER_REGISTRY__URL answers.",
                runbook="registry-not-answering",
            )
        case KafkaUnavailable():
            return Retry(
                "The consumer goes on when Kafka at CDC_CONSUMER_KAFKA__BOOTSTRAP_SERVERS answers.",
                runbook="kafka-not-answering",
            )
        case TopicMissing():
            return Retry("The consumer waits until it is created.", runbook="kafka-not-answering")
        case KafkaFatal():
            return Halt(
                "Make sure that CDC_CONSUMER_GROUP_INSTANCE_ID is this process's alone, then start it again: "
                "it goes on after the chain's last segment.",
                runbook="consumer-fenced",
            )
        case _:
            assert_never(failure)


def _of_undecodable(topic_partition: TopicPartition, offset: int, reason: DecodeErrorReason) -> ToDeadLetters | Halt:
    match reason:
        case DecodeErrorReason.UNSUPPORTED_SCHEMA:
            # Every record of that schema would follow it.
            return Halt(
                f"Nothing was skipped: {topic_partition} stands before offset {offset}. Give the column a type that "
                "the pipeline carries, so that no more such records come.",
                runbook="column-type-not-carried",
            )
        case (
            DecodeErrorReason.BAD_MAGIC
            | DecodeErrorReason.TRUNCATED
            | DecodeErrorReason.UNKNOWN_SCHEMA
            | DecodeErrorReason.MALFORMED
            | DecodeErrorReason.TRAILING_BYTES
            | DecodeErrorReason.OUT_OF_RANGE
            | DecodeErrorReason.UNKNOWN_OPERATION
            | DecodeErrorReason.NO_ROW
            | DecodeErrorReason.NO_KEY
        ):
            return ToDeadLetters(
                "It is in the dead letters: `cdc-consumer dead-letters list` shows it.",
                runbook="undecodable-records",
            )
        case _:
            assert_never(reason)


def _of_refusal(refusal: Refusal) -> Halt:
    match refusal:
        case Refusal.TOPIC_RECREATED:
            return Halt(
                "Its offsets start anew and would collide with the chain: keep objects and rows as they are.",
                runbook="kafka-log-lost",
            )
        case Refusal.CHAIN_LOST | Refusal.CHAIN_BEHIND_COMMIT:
            return Halt(
                "Segments are missing from the bucket. Check CDC_CONSUMER_BUCKET and CDC_CONSUMER_GROUP_ID; if they "
                "are right, restore the segments from a copy.",
                runbook="segments-missing",
            )
        case Refusal.LOG_STARTS_AFTER_TAIL:
            return Halt(
                "Records may have expired before they landed: keep Kafka, bucket and warehouse as they are.",
                runbook="kafka-log-lost",
            )
        case Refusal.TAIL_BEYOND_LOG:
            return Halt(
                "Kafka lost records that have landed: its data was replaced or restored from an old copy. Find the "
                "right data before anything is written to this one.",
                runbook="kafka-log-lost",
            )
        case _:
            assert_never(refusal)


def describe(failure: Failure) -> str:  # noqa: PLR0912 - one case a failure
    """Describe a failure in one sentence, without any value of a row."""
    match failure:
        case Undecodable(topic_partition, offset, error):
            seen = f"{error.reason.value} ({error.detail})"
            return f"The record at {topic_partition} offset {offset} can't be decoded: {seen}."
        case TooManyRejected(first, exceeded):
            share = "in a row" if exceeded.of is None else f"of the latest {exceeded.of}"
            return f"{first.topic_partition}: {exceeded.rejected} records {share} can't be decoded. {describe(first)}"
        case DeadLettersUnavailable(detail):
            return f"A dead letter was not acknowledged: {detail}."
        case Refused(topic_partition, refusal, state):
            tail = "none" if state.tail is None else f"[{state.tail.start}, {state.tail.end})"
            return (
                f"{topic_partition}: {refusal.value}. Last segment {tail}, committed offset {state.committed}, "
                f"Kafka holds [{state.log_start}, {state.high_watermark}), topic id {state.topic_id}."
            )
        case BrokenTail(key, detail):
            return f"The last object of a chain, {key}, is not a segment: {detail}."
        case StoreUnavailable(detail):
            return f"The object store does not answer: {detail}."
        case StoreDenied(detail):
            return f"The object store refuses access: {detail}."
        case BucketMissing(detail):
            return f"The landing bucket is missing: {detail}."
        case RegistryUnavailable(detail):
            return f"The schema registry does not answer: {detail}."
        case KafkaUnavailable(detail):
            return f"Kafka does not answer: {detail}."
        case TopicMissing(topic):
            return f"The topic {topic} does not exist."
        case KafkaFatal(detail):
            return f"The Kafka client failed: {detail}."
        case _:
            assert_never(failure)
