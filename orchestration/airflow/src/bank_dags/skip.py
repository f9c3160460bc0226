"""`python -m bank_dags.skip`: give up a chain's next segment or range, on record."""

from typing import Annotated

import typer

from bank_common.landing.segments import SegmentKey, TopicPartition
from bank_common.names import RAW_TABLE_BY_TOPIC
from bank_common.runtime import cli
from bank_dags.loading.failures import LoadError, NotNext
from bank_dags.loading.ports import LandingReader, LedgerRow, RawWarehouse


def skip(
    landing: LandingReader, warehouse: RawWarehouse, chain: TopicPartition, start: int, end: int | None, reason: str
) -> LedgerRow:
    """Record that `[start, end)` of a chain will never be loaded. It must be what comes next; `end` is needed only
    where no object is.

    The marts are built again: the watermark may pass what is given up on record.

    Raises:
        LoadError: NotNext, or anything a load raises; nothing is recorded.
    """
    key = SegmentKey(chain.topic, chain.partition, start)
    metadata = landing.metadata(key)
    until = end if end is not None else metadata.end if metadata is not None else start
    with warehouse.transaction() as transaction:
        load_id = transaction.advance_fencing_token()
        tail = transaction.tails().get(chain)
        expected = tail.end if tail is not None else None
        if until <= start or (expected is not None and expected != start):
            raise LoadError(NotNext(chain, expected, start))
        row = LedgerRow(
            segment=str(key),
            chain=chain,
            start=start,
            end=until,
            rows=0,
            rejected=metadata.rejected if metadata is not None else 0,
            schema_id=metadata.schema_id if metadata is not None else None,
            sha256=metadata.sha256 if metadata is not None else None,
            changes_marts=True,
            status="skipped",
            reason=reason,
        )
        transaction.record(load_id, [row])
    return row


def main(
    topic: Annotated[str, typer.Argument(help="The chain's topic, e.g. bank.public.accounts.")],
    partition: Annotated[int, typer.Argument(min=0, help="The chain's partition.")],
    start: Annotated[int, typer.Argument(min=0, help="The next offset of the chain: END_OFFSET in RAW.LOAD_TAILS.")],
    reason: Annotated[str, typer.Option(help="Why; kept in RAW.LOAD_LEDGER.")],
    end: Annotated[int | None, typer.Option(help="Where the next segment starts, when no object is there.")] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give up the next segment of a chain for good: its rows never reach RAW.

    Example: python -m bank_dags.skip bank.public.accounts 0 1200 --reason "object lost, ticket 42"

    Needs BANK_DAGS_STORE__* and SNOWFLAKE_*. Exits with 0 when recorded, 1 when refused or not reachable, 2 when a
    setting is wrong.
    """
    from bank_dags.adapters.landing import S3Landing
    from bank_dags.adapters.snowflake.raw import SnowflakeWarehouse
    from bank_dags.adapters.snowflake.session import connect
    from bank_dags.query_tag import QueryTag
    from bank_dags.settings import BankDagsSettings, snowflake_settings

    with cli.reported(debug=False):
        if topic not in RAW_TABLE_BY_TOPIC:
            raise typer.BadParameter(f"no landed topic is called {topic}; there are {', '.join(RAW_TABLE_BY_TOPIC)}")
        settings = BankDagsSettings.load()
        if not yes:
            typer.confirm(f"Give up {topic}/{partition} from offset {start} for good?", abort=True)
        with connect(snowflake_settings(), QueryTag("skip", "by hand"), *settings.timeouts) as connection:
            row = skip(
                S3Landing(settings.store, settings.bucket),
                SnowflakeWarehouse(connection),
                TopicPartition(topic, partition),
                start,
                end,
                reason,
            )
    typer.echo(f"skipped {row.chain} [{row.start}, {row.end}) on record")


if __name__ == "__main__":
    typer.run(main)
