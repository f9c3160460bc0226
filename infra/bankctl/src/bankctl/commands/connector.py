"""`bank connector …`: the Debezium connector that captures the bank's changes."""

import json
from typing import Annotated

import typer

from bank_common import names
from bank_common.runtime.errors import PipelineError
from bankctl.provision import connector
from bankctl.provision.connect_api import ConnectApi
from bankctl.provision.steps import connector_file
from bankctl.stack.stack import Stack

app = typer.Typer(no_args_is_help=True, help="The connector that captures the bank's changes.")


def _missing() -> PipelineError:
    return PipelineError(f"There is no connector {names.CONNECTOR}.", advice="Create it with `bank connector apply`.")


@app.command()
def apply() -> None:
    """Create the connector or give it the rendered configuration, and wait until it runs.

    A connector that has the configuration already is left alone. Exits with 1 when it does not run.
    """
    stack = Stack.from_environment()
    with ConnectApi(stack.url("connect")) as api:
        changed = connector.apply(api, names.CONNECTOR, connector.read_config(connector_file(stack.root)))
    typer.echo(f"{names.CONNECTOR} runs{'' if changed else ' (nothing to change)'}.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object, with the whole trace.")] = False,
) -> None:
    """Show the state of the connector and its task, and why it failed. Exits with 1 unless both run."""
    with ConnectApi(Stack.from_environment().url("connect")) as api:
        connector_status = api.status(names.CONNECTOR)
    if connector_status is None:
        raise _missing()
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "name": connector_status.name,
                    "state": connector_status.state,
                    "tasks": connector_status.tasks,
                    "trace": connector_status.trace,
                }
            )
        )
    else:
        typer.echo(
            f"{connector_status.name}: {connector_status.state}, tasks {', '.join(connector_status.tasks) or 'none'}"
        )
        if connector_status.trace:
            typer.echo(connector_status.trace.rstrip())
    raise typer.Exit(0 if connector_status.running else 1)


@app.command()
def restart() -> None:
    """Restart the connector and its task, and wait until they run."""
    with ConnectApi(Stack.from_environment().url("connect")) as api:
        if not api.restart(names.CONNECTOR):
            raise _missing()
        connector.await_running(api, names.CONNECTOR)
    typer.echo(f"{names.CONNECTOR} runs.")


@app.command()
def delete() -> None:
    """Delete the connector. Its offsets and its replication slot stay: applied again, it goes on where it stopped.

    The slot keeps the source's log from being removed: do not leave it without a connector for long.
    """
    with ConnectApi(Stack.from_environment().url("connect")) as api:
        if not api.delete(names.CONNECTOR):
            raise _missing()
    typer.echo(f"{names.CONNECTOR} is deleted; its slot {names.SLOT} holds the source's log until it is applied again.")
