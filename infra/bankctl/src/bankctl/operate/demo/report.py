"""The demo's closing report: the proof, the times, and the next steps."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from bankctl.stack.logins import logins
from bankctl.stack.stack import Stack
from bankctl.verify.comparison import Difference

_OPERATIONS: Final = {"c": "inserts", "u": "updates", "d": "deletes", "r": "rows of the first snapshot"}


def proof(console: Console, differences: Sequence[Difference], operations: Mapping[str, Mapping[str, int]]) -> None:
    """Source against marts, table by table; then what differs, by key and column, never by value."""
    table = Table(title="Postgres and the marts: full rows, compared both ways", title_justify="left", box=None)
    for heading in ("table", "side"):
        table.add_column(heading)
    for heading in ("rows", "only there", "sum of money"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for difference in differences:
        verdict = "[green]equal[/green]" if difference.equal else "[red]DIFFERENT[/red]"
        for name, side, end in (("Postgres", difference.source, ""), ("marts", difference.mart, verdict)):
            money = "" if difference.table.money is None else f"{side.money:,.2f}"
            shown = difference.table.table if side is difference.source else ""
            table.add_row(shown, name, f"{side.rows:,}", f"{side.only_here:,}", money, end)
    console.print(table)
    for difference in differences:
        seen = operations.get(difference.table.table, {})
        counts = ", ".join(f"{seen[code]:,} {name}" for code, name in _OPERATIONS.items() if seen.get(code))
        console.print(f"Changes of {difference.table.table} that RAW has seen: {counts or 'none'}.", highlight=False)
    for difference in differences:
        if not difference.equal:
            keys = ", ".join(map(str, difference.keys))
            columns = ", ".join(f"{name} ({count:,})" for name, count in difference.columns.most_common())
            console.print(
                f"[red]{difference.table.table}[/red]: first keys {keys}; columns that differ: {columns or 'none'}"
            )


def times(console: Console, phases: Mapping[str, float]) -> None:
    """Print the seconds of each phase."""
    shown = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in phases.items())
    console.print(f"Times: {shown}; {sum(phases.values()):.1f} s in all.", highlight=False)


def addresses(console: Console, stack: Stack) -> None:
    """Print every address with its login."""
    for name, login in logins(stack).items():
        user = " / ".join(filter(None, (login["user"], login["password"])))
        console.print(f"{name:<16} {login['address']}  {user}".rstrip(), highlight=False, markup=False, soft_wrap=True)


def exercise(console: Console, stack: Stack, customer: int) -> None:
    """Print a first thing to try, on an existing customer."""
    compose = "docker compose -f infra/compose/compose.yaml"
    bank = ".venv/bin/bank" if stack.supervised else f"{compose} run --rm bank"
    closing = (
        "`make status` shows what runs, `make down` stops it, `make help` lists the rest."
        if stack.supervised
        else f"`{compose} ps` shows what runs, `make compose-down` stops it, `make help` lists the rest."
    )
    for line in (
        "Try it: change one row, and see it arrive in the mart some seconds later (the old version stays as history):",
        f"  {bank} psql -c \"update customers set last_name = 'Lovelace' where id = {customer}\"",  # noqa: S608 - text for a person
        f'  {bank} sql "select last_name, is_current from marts.dim_customers where customer_id = {customer}"',  # noqa: S608
        closing,
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
