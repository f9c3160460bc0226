"""`bank up`."""

from typing import Annotated

import typer
from rich.console import Console

from bankctl.stack import Stack
from bankctl.supervision.report import Reporter
from bankctl.supervision.up import up as start


def split(values: str) -> list[str]:
    """`"kafka, minio"` -> `["kafka", "minio"]`."""
    return [value.strip() for value in values.split(",") if value.strip()]


def up(
    only: Annotated[str, typer.Option(help="Comma-separated components to start; nothing else is.")] = "",
    without: Annotated[str, typer.Option(help="Comma-separated components to leave out.")] = "",
) -> None:
    """Start the stack and wait until every component is ready. Running components are left alone.

    Example: bank up --only kafka,minio
    Example: bank up --without cdc-consumer,event-receiver

    Exits with 1 when something is missing on this machine or a component dies; its log's end is shown.
    """
    stack = Stack.from_environment()
    stack.require_supervised()
    start(stack, Reporter(Console()), only=split(only), without=split(without))
