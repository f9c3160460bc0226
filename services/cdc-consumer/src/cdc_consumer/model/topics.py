"""The topics that are landed, and the kind of records in each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bank_common import names
from bank_common.envelope.topic_kind import TopicKind


@dataclass(frozen=True, slots=True)
class LandedTopics:
    """The topics to land with their kinds, and the tables (`schema.table`) whose changes reach RAW."""

    kinds: Mapping[str, TopicKind]
    captured: frozenset[str]

    @classmethod
    def of_platform(cls) -> Self:
        """The topics of infra/platform.toml: one per captured table, the transaction metadata and the notifications."""
        return cls(
            kinds={
                **{table.topic: TopicKind.CHANGES for table in names.TABLES},
                names.TRANSACTION_TOPIC: TopicKind.TRANSACTIONS,
                names.NOTIFICATIONS_TOPIC: TopicKind.NOTIFICATIONS,
            },
            captured=frozenset(table.qualified_name for table in names.TABLES),
        )
