"""`bank provision`: creates in the running components what the pipeline needs."""

from typing import Annotated

import typer

from bankctl.model.graph import NODES
from bankctl.provision.steps import STEPS
from bankctl.stack.stack import Stack


def provision(
    only: Annotated[
        str | None, typer.Option(help=f"Comma-separated steps: {', '.join(STEPS)}.", show_default="all")
    ] = None,
) -> None:
    """Migrate the bank, create topics, buckets and RAW tables, apply the connector. `bank up` does this by itself.

    Every step may be run again at any time; one that finds everything in place changes nothing.

    Example: bank provision --only migrate,raw-tables

    Exits with 1 when a step fails; those before it took effect.
    """
    chosen = list(STEPS) if only is None else [name.strip() for name in only.split(",") if name.strip()]
    if unknown := [name for name in chosen if name not in STEPS]:
        raise typer.BadParameter(f"there is no step {', '.join(unknown)}; steps are {', '.join(STEPS)}")
    stack = Stack.from_environment()
    for name in STEPS:
        if name in chosen:
            STEPS[name](stack)
            typer.echo(f"{name}: done ({NODES[name].uses[0]})")
