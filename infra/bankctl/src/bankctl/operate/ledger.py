"""Reads the load ledger and the build ledger: the chains' tails, and the oldest load that no build has seen."""

from collections.abc import Mapping
from typing import Any, Final

from snowflake.connector.errors import ProgrammingError

from bank_common import names
from bank_common.landing.segments import TopicPartition
from bank_common.runtime.motion import Waiting
from bankctl.operate.backlog import Tail

_TAILS: Final = f"""
SELECT TOPIC, TOPIC_PARTITION, START_OFFSET, END_OFFSET, STATUS FROM {names.RAW_SCHEMA}.LOAD_TAILS
"""  # noqa: S608 - a closed set
# A load that came while a build was running could not be seen by it: it waits for the next one from that build's end.
_PENDING_BUILD: Final = f"""
SELECT MIN(LOAD_ID), MIN(LOADED_AT), COUNT(DISTINCT LOAD_ID), CURRENT_TIMESTAMP(),
   (SELECT MAX(BUILT_AT) FROM {names.RAW_SCHEMA}.BUILD_LEDGER)
FROM {names.RAW_SCHEMA}.LOAD_LEDGER
WHERE CHANGES_MARTS
   AND LOAD_ID > (SELECT COALESCE(MAX(BUILT_LOAD_ID), 0) FROM {names.RAW_SCHEMA}.BUILD_LEDGER)
"""  # noqa: S608 - a closed set
_LOADED: Final = f"""
SELECT TOPIC, TOPIC_PARTITION, COUNT(*)
FROM {names.RAW_SCHEMA}.LOAD_LEDGER
WHERE LOADED_AT > DATEADD('second', -%s, CURRENT_TIMESTAMP())
GROUP BY TOPIC, TOPIC_PARTITION
"""  # noqa: S608 - a closed set
_NOT_PROVISIONED: Final = (2003, 90105)
"""There is no such table; the session has no database."""


def tails(connection: Any) -> dict[TopicPartition, Tail]:
    """The ledger's last row of each chain; none before the first provisioning."""
    return {
        TopicPartition(topic, int(partition)): Tail(int(start), int(end), status == "loaded")
        for topic, partition, start, end, status in _rows(connection, _TAILS)
    }


def pending_build(connection: Any) -> Waiting | None:
    """The loads that change marts and that no successful build has seen; None where there are none."""
    for load_id, since, count, now, built in _rows(connection, _PENDING_BUILD):
        if load_id is not None:
            return Waiting(f"load {load_id}", max(since, built) if built is not None else since, now, int(count))
    return None


def loaded(connection: Any, seconds: float) -> Mapping[TopicPartition, int]:
    """Segments of each chain that were loaded in the last `seconds`."""
    rows = _rows(connection, _LOADED, (int(seconds),))
    return {TopicPartition(topic, int(partition)): int(count) for topic, partition, count in rows}


def _rows(connection: Any, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        try:
            return cursor.execute(statement, values or None).fetchall()
        except ProgrammingError as error:
            if error.errno in _NOT_PROVISIONED:
                return []
            raise
