"""`bank demo`: one command from a checkout to marts that are proven equal to the source.

Among containers compose starts the stack, and the image that this runs in has no devstack: that is imported where
processes are started.
"""

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Annotated, Final

import typer
from rich.console import Console

from bank_common.runtime.errors import PipelineError
from bankctl.operate.demo import report
from bankctl.operate.demo.convergence import Convergence, Outcome
from bankctl.operate.demo.generator_run import GeneratorRun
from bankctl.operate.demo.pipeline_stages import STAGE_ERRORS, PipelineStages
from bankctl.operate.demo.view import View
from bankctl.output import console
from bankctl.rooms import Room, require
from bankctl.stack import environment
from bankctl.stack.stack import Stack
from bankctl.verify.both_sides import a_customer, operations, verify

_PATIENCE_SECONDS: Final = 15
"""How long the warehouse may not answer before somebody looks whether it still runs."""


def demo(
    seed: Annotated[int, typer.Option(help="Seed of the generator: the same seed, the same bank.")] = 7,
    customers: Annotated[int, typer.Option(min=1, help="New customers.")] = 40,
    transactions: Annotated[
        int, typer.Option("--transactions", "--rows", min=1, help="Movements of money and other transactions.")
    ] = 600,
    down: Annotated[bool, typer.Option("--down", help="Stop the stack at the end.")] = False,
) -> None:
    """Start the stack, let the bank work, watch its changes arrive, and prove that the marts equal Postgres.

    Leaves the stack running, unless --down is given. May be run again on a running stack: it adds to it. Containers
    are started by compose, not by this command.

    Example: make demo ARGS="--down --seed 7"

    Exits with 1 when both sides differ at the end, or a component dies (its name and the end of its log are shown).
    """
    stack, out = Stack.from_environment(), console()
    if down:
        stack.require_supervised()
    if stack.supervised:
        require(Room.DEVSTACK, "demo")
    try:
        phases = _start(stack, out) if stack.supervised else {}
        sizes = {"--seed": seed, "--customers": customers, "--transactions": transactions}
        outcome = _run(stack, out, [text for name, size in sizes.items() for text in (name, str(size))])
        phases |= {"generate": outcome.generate_seconds, "arrive and compare": outcome.converge_seconds}
        _conclude(stack, out, outcome, phases, down=down)
    finally:
        if down:
            _stop(stack, out)
    raise typer.Exit(1 if outcome.stalled else 0)


def _start(stack: Stack, out: Console) -> dict[str, float]:
    from bankctl.devstack import first_start
    from bankctl.devstack.supervision.report import Reporter
    from bankctl.devstack.supervision.up import up

    for line in first_start.sentences(first_start.missing(stack), stack):
        out.print(line, highlight=False, soft_wrap=True)
    start = time.monotonic()
    up(stack, Reporter(out))
    return {"start": time.monotonic() - start}


def _stop(stack: Stack, out: Console) -> None:
    from bankctl.devstack.supervision.down import down
    from bankctl.devstack.supervision.report import Reporter

    down(stack, Reporter(out))


def _crash_check(stack: Stack) -> Callable[[], None]:
    """What raises when a component of `bank up` died; compose itself starts a container again."""
    if not stack.supervised:
        return lambda: None
    from bankctl.devstack.supervision.crashes import raise_if_dead

    return partial(raise_if_dead, stack)


def _run(stack: Stack, out: Console, arguments: list[str]) -> Outcome:
    check = _crash_check(stack)
    with (
        closing(stack.connect_warehouse(network_timeout=_PATIENCE_SECONDS)) as warehouse,
        PipelineStages(stack.bootstrap_servers, stack.object_store(), warehouse) as stages,
        GeneratorRun(environment.generator(stack), arguments, stack.log_file("generator")) as generator,
        View(out) as view,
    ):
        convergence = Convergence(
            stages,
            generator,
            check=check,
            verify=lambda: verify(stack.dsn("bank", "bank_reader"), warehouse),
            show=view.show,
        )
        try:
            return convergence.follow()
        except STAGE_ERRORS as error:
            check()
            raise PipelineError(
                f"A component runs and does not answer: {error}", advice="`bank status` says which."
            ) from error


def _conclude(stack: Stack, out: Console, outcome: Outcome, phases: dict[str, float], *, down: bool) -> None:
    with closing(stack.connect_warehouse()) as warehouse:
        report.proof(out, outcome.differences, operations(warehouse))
    if outcome.stalled:
        out.print("[red]Nothing moved any more, and the marts are not equal to Postgres.[/red]")
        out.print("See `bank status`, `bank chain` and `bank connector status` for where it stopped.")
    else:
        out.print("[green]Every row of every table is equal.[/green]")
    report.times(out, phases)
    if not outcome.stalled and not down:
        report.addresses(out, stack)
        report.exercise(out, stack, a_customer(stack.dsn("bank", "bank_reader")))
