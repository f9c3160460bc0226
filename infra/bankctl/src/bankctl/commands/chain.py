"""`bank chain`: the landing chains, and where one is not whole."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from bankctl.output import console
from bankctl.stack.stack import Stack
from bankctl.verify.chains import Chain, LandingListing, entries, inspect


def chain(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    topic: Annotated[str, typer.Option(help="Only this topic.", show_default="all")] = "",
) -> None:
    """List the landing chain of each topic and partition: segments, offsets, rows, and where they do not meet.

    Example: bank chain --topic bank.public.accounts

    Exits with 1 when a chain has a gap or an overlap, or the bucket holds something that is not a segment.
    """
    stack = Stack.from_environment()
    landing = inspect(entries(stack.object_store(), prefix=f"{topic}/" if topic else ""))
    if as_json:
        typer.echo(json.dumps(document(landing)))
    else:
        _print(landing)
    raise typer.Exit(1 if landing.problems else 0)


def document(landing: LandingListing) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "chains": [_chain(chain) for chain in landing.chains],
        "strangers": [{"key": key, "reason": reason} for key, reason in landing.foreign_objects],
        "problems": list(landing.problems),
    }


def _chain(chain: Chain) -> dict[str, Any]:
    return {
        "topic": chain.topic,
        "partition": chain.partition,
        "segments": len(chain.segments),
        "start": chain.start,
        "end": chain.end,
        "rows": chain.rows,
        "rejected": chain.rejected,
        "breaks": [
            {"kind": broken.kind, "end": broken.end, "next_start": broken.next_start} for broken in chain.breaks
        ],
    }


def _print(landing: LandingListing) -> None:
    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("topic", no_wrap=True)
    for heading in ("partition", "segments", "start", "end", "rows", "rejected"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("state")
    for chain in landing.chains:
        state = "whole" if not chain.breaks else ", ".join(f"{broken.kind} at {broken.end}" for broken in chain.breaks)
        numbers = (chain.partition, len(chain.segments), chain.start, chain.end, chain.rows, chain.rejected)
        table.add_row(chain.topic, *(f"{number:,}" for number in numbers), state)
    out.print(table)
    if not landing.chains:
        out.print("Nothing has landed yet: is the consumer running? See `bank status`.")
    for problem in landing.problems:
        out.print(f"[red]{problem}[/red]", soft_wrap=True, highlight=False)
