"""The command line that every program has: `--version`, `--debug`, and a failure as a message and an exit code.

Needs the `cli` extra (typer).
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Annotated, Final, NoReturn

import typer

from bank_common.runtime.errors import PipelineError, SettingsError

EXIT_FAILED: Final = 1
EXIT_SETTINGS: Final = 2

Debug = Annotated[bool, typer.Option(help="Show tracebacks and log at DEBUG.")]
"""A command's parameter: `debug: Debug = False`."""


def program(name: str, help_text: str) -> typer.Typer:
    """Make the command group of the distribution `name`, which has `--version`; the caller adds its commands."""
    app = typer.Typer(
        name=name, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=help_text
    )
    option = typer.Option("--version", callback=version_of(name), is_eager=True, help="Print the version and exit.")

    @app.callback()
    def options(_version: Annotated[bool, option] = False) -> None:  # pyright: ignore[reportUnusedFunction]
        """Options of the program itself."""

    return app


def version_of(distribution: str, name: str | None = None) -> Callable[[bool], None]:
    """Make the callback of `--version`; `name` is what users call the distribution."""

    def show_version(requested: bool) -> None:
        if requested:
            typer.echo(f"{name or distribution} {version(distribution)}")
            raise typer.Exit

    return show_version


@contextmanager
def reported(*, debug: bool, exit_code: int = EXIT_FAILED) -> Generator[None]:
    """Turn a failure for the operator into a message on stderr and `exit_code`; with `debug` it stays a traceback.

    Settings that are not valid end with 2, whatever other failures end with.
    """
    try:
        yield
    except PipelineError as error:
        if debug:
            raise
        fail(error, EXIT_SETTINGS if isinstance(error, SettingsError) else exit_code)


def fail(error: PipelineError, exit_code: int) -> NoReturn:
    """End a command with what happened, what to do, and the exit code."""
    show(error)
    raise typer.Exit(exit_code) from None


def show(error: PipelineError) -> None:
    """Tell a person on stderr what happened, and in a line of its own what to do."""
    typer.secho(f"error: {error.message.rstrip()}", err=True, fg=typer.colors.RED)
    typer.echo(error.advice, err=True)
