"""`bank build`: the door for builds, in Airflow's environment."""

import os
from typing import Annotated, Final

import typer

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components.dbt import interpreter
from bankctl.stack import environment
from bankctl.stack.shell import inherited_environment
from bankctl.stack.stack import Stack

COMMAND_SETTINGS: Final = {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}
"""The options are those of bank_dags.build."""


def build(
    context: typer.Context,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end of a build that is running.")] = False,
) -> None:
    """Build the marts now: one dbt build, and never two at once. Other options are dbt's.

    dbt's options that it takes: --select, --exclude, --selector, --state, --defer, --full-refresh, --empty.

    Example: bank build --select dim_accounts+ --wait

    Exits with 1 when a node failed or another build is running (the message names it).
    """
    stack = Stack.from_environment()
    program = interpreter(stack)
    if not program.exists():
        raise PipelineError(
            "Airflow's environment is not there, and builds run in it.", advice="Run `bank up`, or `make setup-all`."
        )
    command = [str(program), "-m", "bank_dags.build", *context.args, *(["--wait"] if wait else [])]
    os.execve(command[0], command, inherited_environment() | environment.airflow(stack))  # noqa: S606 - its exit code, its signals
