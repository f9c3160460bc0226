"""The command `bank`: runs a native stack, and provisions and inspects any."""

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bank_common.runtime import cli
from bank_common.runtime.errors import PipelineError
from bankctl.rooms import COMMANDS, offered, require
from bankctl.stack import shell


def _described(name: str) -> Any:
    """A command that only has its line of help: what `bank --help` shows without importing the real ones."""
    app = typer.Typer(add_completion=False)
    app.command(name=name, help=COMMANDS[name][1])(lambda: None)
    return typer.main.get_command(app)


class LazyGroup(TyperGroup):
    """Imports `bankctl.commands.<name>` when a command is asked for, so that each starts quickly."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the overridden signature
        """The commands of this installation, in the order of the help."""
        return offered()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, or None for an unknown name.

        Raises:
            PipelineError: another installation has it; the advice says which.
        """
        if cmd_name not in COMMANDS:
            return None
        require(COMMANDS[cmd_name][0], cmd_name)
        if ctx.info_name is not None and ctx.invoked_subcommand is None and "--help" in sys.argv[1:2]:
            return _described(cmd_name)
        module_name = cmd_name.replace("-", "_")
        module = import_module(f"bankctl.commands.{module_name}")
        own = getattr(module, "app", None)
        if own is not None:
            return typer.main.get_command(own)
        app = typer.Typer(add_completion=False)
        app.command(name=cmd_name, **getattr(module, "COMMAND_SETTINGS", {}))(getattr(module, module_name))
        return typer.main.get_command(app)


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Run, provision and inspect the banking data pipeline's native stack.\n\n"
    "Exit codes: 0 done, 1 the command found or met a problem, 2 wrong usage, 130 interrupted.",
)


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=cli.version_of("bankctl", "bank"), is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    if debug:
        os.environ["BANK_DEBUG"] = "1"


def run() -> None:
    """Entry point: an expected error is a sentence and what to do; a traceback is a defect (or --debug)."""
    shell.forget()
    try:
        shell.obey_env_file()
        app()
    except PipelineError as error:
        if os.environ.get("BANK_DEBUG"):
            raise
        cli.show(error)
        sys.exit(cli.EXIT_FAILED)
    except KeyboardInterrupt:
        typer.echo("Interrupted. What was started keeps running; `bank down` stops it.", err=True)
        sys.exit(130)
