"""Positions in the source's log.

Versions of one key are ordered by `(lsn, tx_order, offset)` and never by a timestamp. An LSN alone identifies
nothing: a multi-row statement, a COPY and a snapshot give one LSN to many rows.
"""

from typing import NamedTuple


class LogPosition(NamedTuple):
    """Where a change stands: tuples compare in log order for versions of one key.

    `lsn` is a byte position in the write-ahead log, `tx_order` counts changes within their transaction from 1
    (0 for snapshot rows, which belong to none), `offset` is the record's offset in its Kafka partition.
    """

    lsn: int
    tx_order: int
    offset: int


def parse_transaction_id(value: str) -> tuple[int, int]:
    """`"771:26724144"` -> (transaction id, LSN).

    The LSN part differs between a transaction's BEGIN, its END and its rows (Debezium, `provide.transaction.metadata`):
    only the first part joins them.

    Raises:
        ValueError: the text is not two decimal numbers with a colon between them.
    """
    tx_id, colon, lsn = value.partition(":")
    if not (colon and tx_id.isdecimal() and lsn.isdecimal()):
        raise ValueError(f"not a Debezium transaction id: {value!r}")
    return int(tx_id), int(lsn)
