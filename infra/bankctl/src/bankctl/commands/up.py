"""`bank up`."""

from contextlib import nullcontext
from typing import Annotated

import typer
from rich.console import Console

from bankctl.devstack.supervision.lock import only_watcher
from bankctl.devstack.supervision.report import Reporter
from bankctl.devstack.supervision.up import up as start
from bankctl.devstack.supervision.watch import watch as supervise
from bankctl.stack.stack import Stack


def split(values: str) -> list[str]:
    """`"kafka, minio"` -> `["kafka", "minio"]`."""
    return [value.strip() for value in values.split(",") if value.strip()]


def up(
    only: Annotated[str, typer.Option(help="Comma-separated components to start; nothing else is.")] = "",
    without: Annotated[str, typer.Option(help="Comma-separated components to leave out.")] = "",
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and start again whatever dies or does not answer.")
    ] = False,
) -> None:
    """Start the stack and wait until every component is ready. Running components are left alone, but for two: one
    whose code, command or settings have changed since it was started (`git pull`, `.env`) is started again, one that
    has not answered for longer than its bound (20 to 60 seconds) is replaced.

    With --watch it stays in the foreground. A component that died is started again at once, then after 1, 2, 4 and at
    most 60 seconds. One that is alive and does not answer is killed with all its processes after its bound, one at a
    time, and started again; its silence does not count while what it leans on is silent. What `bank down` stops stays
    stopped. Ctrl-C or SIGTERM ends the watching and leaves every component running. Each action is a line.

    Example: bank up --only kafka,minio
    Example: bank up --without cdc-consumer,event-receiver
    Example: bank up --watch

    Exits with 1 when something is missing on this machine or a component dies; its log's end is shown.
    """
    stack = Stack.from_environment()
    stack.require_supervised()
    with only_watcher(stack) if watch else nullcontext():
        start(stack, Reporter(Console()), only=split(only), without=split(without))
        if watch:
            supervise(stack, Reporter(Console(), time_of_day=True))
