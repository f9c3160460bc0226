"""The id of a source transaction, as Debezium writes it."""


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
