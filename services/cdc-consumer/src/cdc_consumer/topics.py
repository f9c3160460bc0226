"""Which topics are landed, and what kind of record each one carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Self

from bank_common import names


class TopicKind(Enum):
    """What a topic's records are; the kind decides how they are decoded and which columns a segment has."""

    CHANGES = "changes"
    """Debezium envelopes of one table; the columns come from the schema."""
    TRANSACTIONS = "transactions"
    """BEGIN and END of the source's transactions."""
    NOTIFICATIONS = "notifications"
    """Progress of snapshots."""


@dataclass(frozen=True, slots=True)
class LandedTopics:
    """The topics to land with their kinds, and the tables (`schema.table`) whose changes reach RAW."""

    kinds: Mapping[str, TopicKind]
    captured: frozenset[str]

    @classmethod
    def of_platform(cls) -> Self:
        """What infra/platform.toml names: one topic per captured table, transactions and notifications."""
        return cls(
            kinds={
                **{table.topic: TopicKind.CHANGES for table in names.TABLES},
                names.TRANSACTION_TOPIC: TopicKind.TRANSACTIONS,
                names.NOTIFICATIONS_TOPIC: TopicKind.NOTIFICATIONS,
            },
            captured=frozenset(table.qualified_name for table in names.TABLES),
        )
