"""`cdc-consumer chain check`: check that the landed chains are whole."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Final

import typer
from rich.console import Console

from bank_common.landing.chains import LandingListing, ObjectEntry, inspect
from bank_common.landing.objects import object_problems
from bank_common.landing.segments import SegmentKey, SegmentMetadata
from cdc_consumer.adapters.object_store import S3ObjectStore
from cdc_consumer.commands.errors import reported
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.ports import ObjectStore
from cdc_consumer.settings import ConsumerSettings

_THREADS: Final = 8

app = typer.Typer(no_args_is_help=True, help="The landing chains.")


@app.callback()
def chain() -> None:
    """The landing chains."""


@app.command()
def check(
    topic: Annotated[str | None, typer.Option(help="Only this topic.", show_default="all landed topics")] = None,
    quick: Annotated[bool, typer.Option(help="Look at keys and metadata only, not into the objects.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Check every chain: no gap, no overlap, and each object's hash, footer and offsets are what its metadata says.

    \b
    Example:
      cdc-consumer chain check --topic bank.public.accounts
    \b
    Exit codes:
      0  everything is whole
      1  something is not; each problem is one line
      2  the settings are not valid
      3  the object store does not answer
    """
    with reported(debug):
        settings = ConsumerSettings.load()
        store = S3ObjectStore(settings.store, settings.bucket, settings.store_timeout_seconds)
        topics = sorted(LandedTopics.of_platform().kinds) if topic is None else [topic]
        landing, problems = inspected(store, topics, deep=not quick)
    segments = sum(len(chain.segments) for chain in landing.chains)
    if as_json:
        typer.echo(json.dumps({"chains": len(landing.chains), "segments": segments, "problems": problems}))
    else:
        for problem in problems:
            Console().print(f"[red]{problem}[/red]", soft_wrap=True, highlight=False)
        Console().print(f"{len(landing.chains)} chains, {segments} segments, {len(problems)} problems.")
    raise typer.Exit(1 if problems else 0)


def inspected(store: ObjectStore, topics: list[str], *, deep: bool) -> tuple[LandingListing, list[str]]:
    """Return the chains of these topics and their problems; `deep` reads every object.

    Raises:
        FailedError: the store failed.
    """
    entries: list[ObjectEntry] = []
    object_errors: list[str] = []
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="check") as pool:
        for entry, problems in pool.map(lambda key: _looked_at(store, key, deep), _keys(store, topics)):
            entries.append(entry)
            object_errors += problems
    landing = inspect(entries)
    return landing, [*landing.problems, *object_errors]


def _keys(store: ObjectStore, topics: list[str]) -> Iterator[str]:
    for topic in topics:
        for partition in store.folders(f"{topic}/"):
            yield from store.keys(partition)


def _looked_at(store: ObjectStore, key: str, deep: bool) -> tuple[ObjectEntry, list[str]]:
    if not deep:
        return (key, store.metadata(key) or {}), []
    stored = store.read(key)
    if stored is None:
        return (key, {}), []
    try:
        parsed, metadata = SegmentKey.parse(key), SegmentMetadata.from_headers(stored.metadata)
    except ValueError:
        return (key, stored.metadata), []  # `inspect` names it
    return (key, stored.metadata), object_problems(parsed, metadata, stored.body)
