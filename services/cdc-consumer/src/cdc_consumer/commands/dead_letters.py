"""`cdc-consumer dead-letters`: what could not be decoded, and sending it again once the cause is gone."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cdc_consumer.adapters.dead_letters import DeadLetterArchive
from cdc_consumer.commands.errors import reported
from cdc_consumer.dead_letter import DeadLetter
from cdc_consumer.settings import ConsumerSettings

app = typer.Typer(no_args_is_help=True, help="Records that could not be decoded: list them, send them again.")

Topic = Annotated[str | None, typer.Option(help="Only letters of this topic.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]


@app.command("list")
def list_letters(
    topic: Topic = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    debug: Debug = False,
) -> None:
    """Show the letters that were not replayed yet; never a value of a row.

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
        letters = _wanted(_archive(), topic)
    if as_json:
        for letter in letters:
            typer.echo(json.dumps(_row(letter)))
        return
    console = Console()
    if not letters:
        console.print("No open dead letters.")
        return
    table = Table("topic", "partition", "offset", "reason", "detail", "bytes", box=None)
    for letter in letters:
        table.add_row(*(str(value) for value in _row(letter).values()))
    console.print(table)


@app.command()
def replay(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest offsets of each partition first.")],
    topic: Topic = None,
    debug: Debug = False,
) -> None:
    """Produce the original bytes and headers to the partition that each letter came from.

    A letter and the note that it was replayed are written together or not at all: breaking off and starting again
    repeats nothing. A record that still can't be decoded becomes a dead letter once more.

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
        letters = _wanted(archive, topic)
        sent = archive.replay(letters[:limit]) if letters else 0
    Console().print(f"Replayed {sent} of {len(letters)}.")


def _archive() -> DeadLetterArchive:
    settings = ConsumerSettings.load()
    return DeadLetterArchive(settings.kafka.bootstrap_servers, settings.dead_letters_topic)


def _wanted(archive: DeadLetterArchive, topic: str | None) -> list[DeadLetter]:
    return [letter for letter in archive.open() if topic in (None, letter.address.topic)]


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        **letter.address._asdict(),
        "reason": letter.reason,
        "detail": letter.detail,
        "bytes": len(letter.value),
    }
