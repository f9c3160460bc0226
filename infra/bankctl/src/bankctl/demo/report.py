"""What the demo says at its end: the proof, the times, and where to go from here."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from bankctl.commands.credentials import logins
from bankctl.inspection.comparison import Difference
from bankctl.stack import Stack

_OPERATIONS = (("c", "inserts"), ("u", "updates"), ("d", "deletes"))


def proof(console: Console, differences: Sequence[Difference], operations: Mapping[str, Mapping[str, int]]) -> None:
    """Source against marts, table by table; then what differs, by key and column, never by value."""
    table = Table(title="Postgres against the marts: full rows, both ways", title_justify="left", box=None)
    table.add_column("table")
    headings = ["rows in Postgres", "in the mart", "only in Postgres", "only in the mart"]
    for heading in (*headings, *(name for _, name in _OPERATIONS), "sum in Postgres", "in the mart"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for found in differences:
        source, mart = found.source, found.mart
        money = ["", ""] if found.table.money is None else [f"{source.money:,.2f}", f"{mart.money:,.2f}"]
        seen = operations.get(found.table.table, {})
        table.add_row(
            found.table.table,
            *(f"{number:,}" for number in (source.rows, mart.rows, source.only_here, mart.only_here)),
            *(f"{seen.get(operation, 0):,}" for operation, _ in _OPERATIONS),
            *money,
            "[green]equal[/green]" if found.equal else "[red]DIFFERENT[/red]",
        )
    console.print(table)
    for found in differences:
        if not found.equal:
            keys = ", ".join(map(str, found.keys))
            columns = ", ".join(f"{name} ({count:,})" for name, count in found.columns.most_common())
            console.print(
                f"[red]{found.table.table}[/red]: first keys {keys}; columns that differ: {columns or 'none'}"
            )


def times(console: Console, phases: Mapping[str, float]) -> None:
    """How long each phase took."""
    shown = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in phases.items())
    console.print(f"Times: {shown}; {sum(phases.values()):.1f} s in all.", highlight=False)


def addresses(console: Console, stack: Stack) -> None:
    """Where everything is, and how to log in."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, login in logins(stack).items():
        table.add_row(name, login["address"], " / ".join(filter(None, (login["user"], login["password"]))))
    console.print(table, soft_wrap=True)


def exercise(console: Console) -> None:
    """A first thing to try."""
    console.print(
        "Try it: change one row, and see it arrive in the mart some seconds later (the old version stays as history):\n"
        "  bank psql -c \"update customers set last_name = 'Lovelace' where id = 1\"\n"
        '  bank sql "select customer_id, last_name, is_current from marts.dim_customers where customer_id = 1"\n'
        "Run them as `uv run bank …`. `make status` shows what runs, `make down` stops it, `make help` lists the rest.",
        highlight=False,
        soft_wrap=True,
    )
