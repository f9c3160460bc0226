"""Reports a run to a person: progress while it works (on stderr), the summary at its end (on stdout)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bank_common.runtime.logging import Logger
from generator.model.run_totals import RunTotals
from generator.ports import Pause

_LINE_SECONDS: Final = 10.0
_REDRAW_EVERY: Final = 50


class Show(Protocol):
    """Called after each transaction."""

    def __call__(self, totals: RunTotals) -> None: ...


@contextmanager
def progress(console: Console, log: Logger, pause: Pause, total: int | None) -> Iterator[Show]:
    """A bar on a terminal, one log line per 10 s otherwise."""
    if not console.is_terminal:
        yield _lines(log, pause)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("transactions", total=total)

        def show(totals: RunTotals) -> None:
            if totals.transactions % _REDRAW_EVERY == 0 or totals.transactions == total:
                bar.update(task, completed=totals.transactions)

        yield show


def _lines(log: Logger, pause: Pause) -> Show:
    due = pause.now() + _LINE_SECONDS

    def show(totals: RunTotals) -> None:
        nonlocal due
        if pause.now() >= due:
            due = pause.now() + _LINE_SECONDS
            log.info("progress", transactions=totals.transactions, committed=totals.committed.total())

    return show


def print_summary(console: Console, summary: Mapping[str, Any]) -> None:
    """The summary as a table."""
    transactions, money = summary["transactions"], summary["money"]
    table = Table(title="Committed row changes", title_justify="left", box=None)
    table.add_column("table")
    operations = next(iter(summary["changes"].values()))
    for operation in operations:
        table.add_column(f"{operation}s", justify="right")
    for name, counts in summary["changes"].items():
        table.add_row(name, *(f"{count:,}" for count in counts.values()))
    console.print(table)
    console.print(
        f"{transactions['committed']:,} transactions committed, {transactions['given_up']:,} rolled back on purpose, "
        f"{transactions['stale']:,} stale, {transactions['unknown']:,} of unknown outcome.\n"
        f"Paid in {money['paid_in']}, paid out {money['paid_out']}, transferred {money['transferred']}.\n"
        f"{summary['duration_seconds']} s with seed {summary['seed']}; log position {summary['lsn']['last']}.",
        highlight=False,
    )
