"""Creates every topic beforehand, with its partitions and settings, and refuses a topic that differs.

One setting is raised where it is lower: the largest record.

Debezium would create a topic with its first record only, with one partition and the broker's defaults: a consumer
that starts earlier would find nothing, and a key's changes would move to another partition when it is widened.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,  # pyright: ignore[reportPrivateImportUsage]
    ConfigEntry,  # pyright: ignore[reportPrivateImportUsage]
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
    NewTopic,  # pyright: ignore[reportPrivateImportUsage]
    ResourceType,  # pyright: ignore[reportPrivateImportUsage]
)

from bank_common import names
from bank_common.runtime.errors import PipelineError

_DAY_MS: Final = 86_400_000
_TIMEOUT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05
_KEEP_WEEK: Final = {"cleanup.policy": "delete", "retention.ms": str(7 * _DAY_MS), "retention.bytes": "-1"}
_KEEP_DAY: Final = {"cleanup.policy": "delete", "retention.ms": str(_DAY_MS), "retention.bytes": "-1"}
_MAX_RECORD_BYTES: Final = "max.message.bytes"
_MEBIBYTE: Final = 2**20
LARGEST_RECORD_BYTES: Final = 17 * _MEBIBYTE
"""What the connector sends, 16 MiB before compression, and what compression may add to bytes that can't be."""
LARGEST_DEAD_LETTER_BYTES: Final = 18 * _MEBIBYTE
"""The same with its key and reason."""
_KEEP_FOR_EVER: Final = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


class TopicError(PipelineError):
    """A topic can't be created, or exists and is not what the pipeline's order and retention rest on."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it has to be. `settings` are the ones that are checked; others may be tuned freely.

    `record_bytes` is the largest record that it must take; a topic that takes less is made to.
    """

    name: str
    partitions: int = 1
    settings: Mapping[str, str] = field(default_factory=lambda: _KEEP_WEEK)
    record_bytes: int = _MEBIBYTE

    @property
    def created_with(self) -> dict[str, str]:
        """The settings of a topic that is made."""
        return {**self.settings, _MAX_RECORD_BYTES: str(self.record_bytes)}


@dataclass(frozen=True, slots=True)
class ExistingTopic:
    """A topic as the brokers know it."""

    partitions: int
    settings: Mapping[str, str]


def required() -> tuple[Topic, ...]:
    """Every topic of the pipeline.

    A consumer that is down for less than a week loses nothing: after that it finds the log starting behind its
    chain and halts. Dead letters wait for an operator, however long that takes.
    """
    return (
        *(Topic(table.topic, table.partitions, record_bytes=LARGEST_RECORD_BYTES) for table in names.TABLES),
        Topic(names.TRANSACTION_TOPIC),
        Topic(names.NOTIFICATIONS_TOPIC),
        Topic(names.MESSAGE_TOPIC, record_bytes=LARGEST_RECORD_BYTES),
        Topic(names.HEARTBEAT_TOPIC, settings=_KEEP_DAY),
        Topic(names.HEARTBEAT_TABLE_TOPIC, settings=_KEEP_DAY),
        Topic(names.DEAD_LETTERS_TOPIC, settings=_KEEP_FOR_EVER, record_bytes=LARGEST_DEAD_LETTER_BYTES),
    )


def differences(topics: Iterable[Topic], existing: Mapping[str, ExistingTopic]) -> tuple[str, ...]:
    """Compare existing topics with the pipeline's: one sentence for each difference."""
    sentences: list[str] = []
    for topic in topics:
        actual = existing.get(topic.name)
        if actual is None:
            continue
        if actual.partitions != topic.partitions:
            sentences.append(f"{topic.name} has {actual.partitions} partitions instead of {topic.partitions}")
        sentences += [
            f"{topic.name} has {name}={actual.settings.get(name)} instead of {value}"
            for name, value in topic.settings.items()
            if actual.settings.get(name) != value
        ]
    return tuple(sentences)


def too_small(topics: Iterable[Topic], existing: Mapping[str, ExistingTopic]) -> tuple[Topic, ...]:
    """The existing topics that do not take the largest record."""
    limits = {name: int(topic.settings.get(_MAX_RECORD_BYTES, "0")) for name, topic in existing.items()}
    return tuple(topic for topic in topics if topic.name in limits and limits[topic.name] < topic.record_bytes)


def ensure(bootstrap_servers: str, topics: Sequence[Topic], *, replication_factor: int = 1) -> tuple[str, ...]:
    """Create the topics that are missing and return their names; they are known to the brokers then.

    Raises:
        TopicError: an existing topic differs (nothing was created then, unless somebody else created it at the same
            time), or the brokers refused.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    try:
        existing = _existing(admin, [topic.name for topic in topics])
        _refuse(differences(topics, existing))
        _enlarge(admin, too_small(topics, existing))
        missing = [topic for topic in topics if topic.name not in existing]
        _create(admin, missing, replication_factor)
        _refuse(differences(missing, _appeared(admin, [topic.name for topic in missing])))
    except KafkaException as error:
        raise TopicError(
            f"The Kafka brokers at {bootstrap_servers} did not do what was asked: {error.args[0].str()}.",
            advice="See `bank status` and `bank logs kafka`.",
        ) from error
    return tuple(topic.name for topic in missing)


def _refuse(sentences: Sequence[str]) -> None:
    if sentences:
        raise TopicError(
            "Topics exist that are not as platform.toml has them: " + "; ".join(sentences) + ".",
            advice="Partitions decide the order of a key's changes: never widen a topic in use. Restore its settings. "
            "Runbook: infra/runbooks/kafka-not-answering.md.",
        )


def _appeared(admin: AdminClient, created: Sequence[str]) -> Mapping[str, ExistingTopic]:
    """The topics once all of them are known: a broker hears of a topic some time after its creation was answered."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while True:
        existing = _existing(admin, created)
        unknown = [name for name in created if name not in existing]
        if not unknown:
            return existing
        if time.monotonic() >= deadline:
            raise TopicError(
                f"The brokers do not know {', '.join(unknown)} {_TIMEOUT_SECONDS:.0f} s after its creation.",
                advice="See `bank logs kafka`, then run `bank provision` again.",
            )
        time.sleep(_POLL_SECONDS)


def _existing(admin: AdminClient, required_names: Sequence[str]) -> dict[str, ExistingTopic]:
    known = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
    existing = [name for name in required_names if name in known]
    if not existing:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in existing]
    answers: dict[Any, Any] = admin.describe_configs(resources, request_timeout=_TIMEOUT_SECONDS)
    settings = {
        resource.name: {name: entry.value for name, entry in answer.result().items()}
        for resource, answer in answers.items()
    }
    return {name: ExistingTopic(len(known[name].partitions), settings[name]) for name in existing}


def _enlarge(admin: AdminClient, topics: Sequence[Topic]) -> None:
    if not topics:
        return
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            topic.name,
            incremental_configs=[
                ConfigEntry(_MAX_RECORD_BYTES, str(topic.record_bytes), incremental_operation=AlterConfigOpType.SET)
            ],
        )
        for topic in topics
    ]
    answers: dict[Any, Any] = admin.incremental_alter_configs(resources, request_timeout=_TIMEOUT_SECONDS)
    for answer in answers.values():
        answer.result()


def _create(admin: AdminClient, topics: Sequence[Topic], replication_factor: int) -> None:
    if not topics:
        return
    new = [NewTopic(topic.name, topic.partitions, replication_factor, config=topic.created_with) for topic in topics]
    for answer in admin.create_topics(new, operation_timeout=_TIMEOUT_SECONDS).values():
        try:
            answer.result()
        except KafkaException as error:
            # Somebody provisions at the same time: what they made is compared like everything that was there.
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
