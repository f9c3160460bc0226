"""`cdc-consumer dead-letters`: list the records that could not be decoded, and replay them."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cdc_consumer.adapters.dead_letters import DeadLetterArchive
from cdc_consumer.commands.errors import reported
from cdc_consumer.model.dead_letter import DeadLetterRecord
from cdc_consumer.settings import ConsumerSettings

app = typer.Typer(no_args_is_help=True, help="Records that could not be decoded: list them, send them again.")

Topic = Annotated[str | None, typer.Option(help="Only dead letters of this topic.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


@app.command("list")
def list_dead_letters(
    topic: Topic = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    debug: Debug = False,
) -> None:
    """Show the dead letters that were not replayed yet; never a value of a row.

    \b
    Example:
      cdc-consumer dead-letters list --topic bank.public.accounts
    \b
    Exit codes:
      0  listed, none included
      2  the settings are not valid
      3  Kafka does not answer, or has no such topic
    """
    with reported(debug):
        dead_letters = _open_dead_letters(_archive(), topic)
    if as_json:
        for dead_letter in dead_letters:
            typer.echo(json.dumps(_row(dead_letter)))
        return
    console = Console()
    if not dead_letters:
        console.print("No open dead letters.")
        return
    table = Table("topic", "partition", "offset", "reason", "detail", "bytes", box=None)
    for dead_letter in dead_letters:
        table.add_row(*(str(value) for value in _row(dead_letter).values()))
    console.print(table)


@app.command()
def replay(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest offsets of each partition first.")],
    topic: Topic = None,
    debug: Debug = False,
) -> None:
    """Produce the original bytes and headers to the partition that each dead letter came from.

    A record and the tombstone of its dead letter are produced in one transaction: a replay that was broken off can be
    started again and repeats nothing. A record that still can't be decoded becomes a dead letter once more.

    \b
    Example:
      cdc-consumer dead-letters replay --limit 100
    \b
    Exit codes:
      0  replayed, or there was nothing to replay
      2  the settings are not valid
      3  Kafka does not answer, or has no such topic
    """
    with reported(debug):
        archive = _archive()
        dead_letters = _open_dead_letters(archive, topic)
        sent = archive.replay(dead_letters[:limit]) if dead_letters else 0
    Console().print(f"Replayed {sent} of {len(dead_letters)}.")


def _archive() -> DeadLetterArchive:
    settings = ConsumerSettings.load()
    return DeadLetterArchive(settings.kafka.bootstrap_servers, settings.dead_letters_topic)


def _open_dead_letters(archive: DeadLetterArchive, topic: str | None) -> list[DeadLetterRecord]:
    return [dead_letter for dead_letter in archive.open() if topic in (None, dead_letter.address.topic)]


def _row(dead_letter: DeadLetterRecord) -> dict[str, Any]:
    return {
        **dead_letter.address._asdict(),
        "reason": dead_letter.reason,
        "detail": dead_letter.detail,
        "bytes": len(dead_letter.value),
    }
