"""`bank sql`: one query on the warehouse, with the key pair of its operator."""

import datetime
import decimal
import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from bank_common.runtime.errors import PipelineError
from bankctl.output import console
from bankctl.stack.stack import Stack


def sql(
    statement: Annotated[str, typer.Argument(help='One statement, e.g. "select count(*) from raw.accounts".')],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a row; decimals and instants as text.")
    ] = False,
) -> None:
    """Run one statement in the warehouse and print its rows.

    Example: bank sql "select * from marts.dim_customers where is_current limit 5"

    Exits with 1 when the warehouse refuses the statement.
    """
    from snowflake.connector import errors

    connection = Stack.from_environment().connect_warehouse()
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            headings = [column.name for column in cursor.description or ()]
            rows = cursor.fetchall()
    except errors.Error as error:
        raise PipelineError(
            f"The warehouse refused the statement: {error.msg or error}", advice="Correct it and run it again."
        ) from error
    finally:
        connection.close()
    if as_json:
        for row in rows:
            typer.echo(json.dumps(dict(zip(headings, map(plain, row), strict=True)), ensure_ascii=False))
    else:
        _print(headings, rows)


def plain(value: Any) -> Any:
    """Convert a value to one that JSON carries without losing a digit."""
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return value


def _print(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        numeric = bool(rows) and isinstance(rows[0][number], int | float | decimal.Decimal)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(plain(value)) for value in row))
    out.print(table)
    out.print(f"({len(rows):,} row{'' if len(rows) == 1 else 's'})", style="dim")
