"""The kinds of records that Debezium writes, one kind a topic."""

from enum import Enum


class TopicKind(Enum):
    """The kind of records in a topic: it decides how they are decoded and which columns a segment has."""

    CHANGES = "changes"
    """Debezium envelopes of one table; the columns come from the schema."""
    TRANSACTIONS = "transactions"
    """BEGIN and END of the source's transactions."""
    NOTIFICATIONS = "notifications"
    """Progress of snapshots."""
