"""The stages of the pipeline (Kafka, landing, RAW, marts): counts how many changes of captured tables each has seen."""

from dataclasses import dataclass
from typing import Any, Final, Self

import psycopg
from confluent_kafka import Consumer, KafkaException, TopicPartition
from minio.error import MinioException
from snowflake.connector import errors as snowflake_errors
from urllib3.exceptions import HTTPError

from bank_common import names
from bankctl.verify import chains

STAGES: Final = ("Kafka", "landed", "RAW", "marts")
_TOPICS: Final = tuple(table.topic for table in names.TABLES)
_TIMEOUT_SECONDS: Final = 10.0
_BATCH: Final = 10_000

_RAW: Final = " UNION ALL ".join(
    f"SELECT COUNT(*) AS FOUND FROM {names.RAW_SCHEMA}.{table.raw_table}"  # noqa: S608 - a closed set
    for table in names.TABLES
)
# What a successful build has seen: the segments of all loads up to the one that it was built on.
_BUILT: Final = f"""
SELECT COALESCE(SUM(ROW_COUNT), 0)
  FROM {names.RAW_SCHEMA}.LOAD_LEDGER
 WHERE TOPIC IN ({", ".join(f"'{topic}'" for topic in _TOPICS)})
   AND LOAD_ID <= (SELECT COALESCE(MAX(BUILT_LOAD_ID), 0) FROM {names.RAW_SCHEMA}.BUILD_LEDGER)
"""  # noqa: S608 - a closed set


STAGE_ERRORS: Final = (KafkaException, MinioException, HTTPError, psycopg.Error, snowflake_errors.Error)
"""The errors of counting at a stage whose component does not answer."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Changes seen at each stage."""

    kafka: int = 0
    landed: int = 0
    raw: int = 0
    marts: int = 0

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            self.kafka - other.kafka, self.landed - other.landed, self.raw - other.raw, self.marts - other.marts
        )

    @property
    def values(self) -> tuple[int, int, int, int]:
        """In the order of `STAGES`."""
        return self.kafka, self.landed, self.raw, self.marts

    @property
    def level(self) -> bool:
        """True when no change is under way. Changes that were not landed at the start come on top of Kafka's count."""
        return self.marts == self.raw == self.landed >= self.kafka


class KafkaTail:
    """Counts committed records of the tables' topics from the moment it is opened; an independent reader."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "bank-demo",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                # A broker that died is reported by name; the client's own lines would only bury that.
                "log_level": 0,
            }
        )
        self._seen = 0
        self._consumer.assign([self._end(topic, partition) for topic, partition in self._partitions()])

    def _partitions(self) -> list[tuple[str, int]]:
        known = self._consumer.list_topics(timeout=_TIMEOUT_SECONDS).topics
        return [(topic, partition) for topic in _TOPICS for partition in known[topic].partitions]

    def _end(self, topic: str, partition: int) -> TopicPartition:
        end = TopicPartition(topic, partition)
        marks = self._consumer.get_watermark_offsets(end, timeout=_TIMEOUT_SECONDS)
        if marks is None:
            raise KafkaException(f"no answer about {topic}/{partition}")
        end.offset = marks[1]
        return end

    def seen(self) -> int:
        """Records so far, without waiting for more than those that are there."""
        while messages := self._consumer.consume(_BATCH, timeout=0.2):
            for message in messages:
                if message.error() is not None:
                    raise KafkaException(message.error())
            self._seen += len(messages)
        return self._seen

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()


class PipelineStages:
    """Samples every stage; counts are relative to the moment it was opened."""

    def __init__(self, bootstrap_servers: str, store: Any, warehouse: Any) -> None:
        self._store = store
        self._warehouse = warehouse
        self._start = Counts()
        self._tail = KafkaTail(bootstrap_servers)
        self._start = Counts(0, self._landed(), self._raw(), self._built())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tail.close()

    def sample(self) -> Counts:
        """Count at every stage, the last one first, so that no stage appears ahead of the one before it."""
        marts, raw, landed = self._built(), self._raw(), self._landed()
        return Counts(self._tail.seen(), landed, raw, marts) - self._start

    def _landed(self) -> int:
        return chains.inspect(chains.entries(self._store)).rows

    def _raw(self) -> int:
        return sum(int(row[0]) for row in self._rows(_RAW))

    def _built(self) -> int:
        return int(self._rows(_BUILT)[0][0])

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self._warehouse.cursor() as cursor:
            return cursor.execute(statement).fetchall()
