"""The composition root: the only module that knows settings and adapters at once."""

import json
import secrets
import time
from contextlib import nullcontext
from typing import Annotated, Any, Final

import typer
from prometheus_client import CollectorRegistry
from rich.console import Console

from bank_common.runtime import cli, tracing
from bank_common.runtime.errors import PipelineError
from bank_common.runtime.health import HealthEndpoints, HealthServer
from bank_common.runtime.logging import configure, get_logger
from bank_common.runtime.service import Readiness, Shutdown
from generator import report
from generator.adapters.postgres import PostgresBankDatabase
from generator.metrics import GeneratorMetrics
from generator.model.bank import Bank
from generator.model.planner import Planner
from generator.ports import BankAwayError
from generator.runner import DEPENDENCY, Runner
from generator.settings import GeneratorSettings

SERVICE: Final = "generator"
_ONCE_TRANSACTIONS: Final = 1000
_LOOP_RATE: Final = 5.0
_LARGEST_SEED: Final = 2**31

app = cli.program(SERVICE, "A bank at work: customers, accounts and money moving, written to Postgres.")


class StopPause:
    """The program's clock, and waits that a stop cuts short."""

    def __init__(self, shutdown: Shutdown) -> None:
        self._shutdown = shutdown

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    def wait(self, seconds: float) -> bool:
        """See `Pause.wait`."""
        return self._shutdown.wait(seconds)


@app.command()
def run(
    once: Annotated[bool, typer.Option("--once", help="One run of the given size, then exit.")] = False,
    seed: Annotated[int | None, typer.Option(help="Same seed, same empty database: same rows.")] = None,
    customers: Annotated[
        int | None, typer.Option(help="Customers to open first; a loop opens until there are so many. [default: 20]")
    ] = None,
    accounts_per_customer: Annotated[
        int | None, typer.Option(help="Accounts of one customer, at most. [default: 3]")
    ] = None,
    transactions: Annotated[
        int | None, typer.Option(help="Transactions after that. [default: 1000 with --once, no end in a loop]")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Transactions a second. [default: no limit with --once, 5 in a loop]")
    ] = None,
    duration: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one line of JSON.")] = False,
    debug: cli.Debug = False,
) -> None:
    """Let the bank work: until SIGTERM or Ctrl-C, or one seeded run with --once.

    Settings come from the environment (GENERATOR_…, see .env.example); options come before them. A run continues
    with the customers and accounts that are there.

    \b
    Examples:
      set -a; . .local/env/generator.env; set +a
      uv run --package generator generator run --once --seed 7 --transactions 5000 --json
      uv run --package generator generator run --rate 20 --duration 600
    \b
    Exit codes:
      0  done, or stopped cleanly: the last transaction is finished
      1  the bank's database was not there, or can't be used; the message says what to do
      2  the settings are not valid
    """
    given: dict[str, Any] = {
        "seed": seed,
        "customers": customers,
        "accounts_per_customer": accounts_per_customer,
        "transactions": transactions,
        "rate": rate,
        "duration_seconds": duration,
    }
    with cli.reported(debug=debug):
        settings = GeneratorSettings.load(**{name: value for name, value in given.items() if value is not None})
        summary = work(settings.logging_at_debug(debug), once=once)
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        report.print_summary(Console(), summary)


def work(settings: GeneratorSettings, *, once: bool) -> dict[str, Any]:
    """Build everything, work until the end or the stop, and give the summary.

    Raises:
        PipelineError: the bank's database is not there or can't be used, or the health endpoint's address is taken.
    """
    configure(SERVICE, settings.logging)
    tracing.start(SERVICE, settings.telemetry)
    log = get_logger(SERVICE)
    readiness = Readiness([DEPENDENCY])
    registry = CollectorRegistry()
    pause = StopPause(Shutdown().install())
    seed = settings.seed if settings.seed is not None else secrets.randbelow(_LARGEST_SEED)
    bank = Bank()
    planner = Planner(bank, seed, settings.accounts_per_customer)
    transactions, rate = settings.transactions, settings.rate
    if once:
        transactions = _ONCE_TRANSACTIONS if transactions is None else transactions
    else:
        rate = rate or _LOOP_RATE
    health = nullcontext() if once else HealthServer(settings.http, HealthEndpoints(readiness, registry))
    started = pause.now()
    try:
        with health, PostgresBankDatabase(settings.postgres) as database:
            runner = Runner(
                database,
                bank,
                pause,
                readiness,
                GeneratorMetrics(registry),
                log,
                give_up_seconds=settings.give_up_seconds if once else None,
            )
            if runner.connect(settings.give_up_seconds):
                customers = settings.customers if once else max(0, settings.customers - len(bank.customers))
                log.info("started", seed=seed, once=once, customers=len(bank.customers), accounts=len(bank.accounts))
                started = pause.now()
                total = None if transactions is None else customers + transactions
                with report.progress(Console(stderr=True), log, pause, total) as show:
                    plans = planner.plans(customers, transactions)
                    runner.work(plans, rate=rate, seconds=settings.duration_seconds, progress=show)
    except BankAwayError as away:
        where = settings.postgres
        raise PipelineError(
            f"Postgres at {where.host}:{where.port} is away: {away.reason}.",
            advice="Start it, or correct GENERATOR_POSTGRES__HOST and __PORT. "
            "Runbook: infra/runbooks/bank-database-away.md.",
        ) from None
    finally:
        tracing.stop()
    log.info("stopped", committed=runner.totals.committed.total(), unknown=runner.totals.unknown)
    return runner.totals.summary(seed, pause.now() - started)


if __name__ == "__main__":
    app()
