"""`python -m bank_dags.build`: the door for builds by hand and in CD. One build at a time in the warehouse."""

import getpass
import logging
from typing import Annotated

import structlog
import typer

from bank_common.runtime import cli
from bank_dags import door
from bank_dags.building.build import Choice
from bank_dags.query_tag import QueryTag
from bank_dags.settings import BuildSettings


def main(
    select: Annotated[list[str] | None, typer.Option(help="dbt's: build these nodes.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="dbt's: leave these out.")] = None,
    selector: Annotated[str | None, typer.Option(help="dbt's: a selector of selectors.yml.")] = None,
    state: Annotated[str | None, typer.Option(help="dbt's: the folder of an earlier manifest.")] = None,
    defer: Annotated[bool, typer.Option("--defer", help="dbt's: take what is not built from that state.")] = False,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="dbt's.")] = False,
    empty: Annotated[bool, typer.Option("--empty", help="dbt's: make every relation, without rows.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end of a build that is running.")] = False,
) -> None:
    """Build the marts now, whether a build is pending or not. A build of everything is recorded, as the DAG's are.

    Example: python -m bank_dags.build --select dim_accounts+ --wait

    Exits with 1 when a node failed or another build is running (the message names it), with 2 when a setting is wrong.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    arguments: list[str] = []
    for option, values in (("--select", select), ("--exclude", exclude)):
        arguments += [option, *values] if values else []
    for option, value in (("--selector", selector), ("--state", state)):
        arguments += [option, value] if value else []
    flags = {"--defer": defer, "--full-refresh": full_refresh, "--empty": empty}
    arguments += [option for option, given in flags.items() if given]
    whole = not (select or exclude or selector or empty)
    with cli.reported(debug=False):
        settings = BuildSettings.load()
        results = door.build(
            settings,
            QueryTag("build", f"by {getpass.getuser()}"),
            Choice(tuple(arguments), whole, even_if_not_pending=True),
            settings.build_timeout_seconds if wait else 0,
        )
    if results is not None:
        counts = ", ".join(f"{count} {status}" for status, count in sorted(results.counts.items()))
        typer.echo(f"built in {results.seconds:.1f} s: {counts}")


if __name__ == "__main__":
    typer.run(main)
