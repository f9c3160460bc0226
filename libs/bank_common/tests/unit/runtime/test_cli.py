"""The command line of a program, as its user meets it."""

from importlib.metadata import version

import pytest
import typer
from typer.testing import CliRunner, Result

from bank_common.runtime import cli
from bank_common.runtime.errors import PipelineError, SettingsError

FAILED = PipelineError("The bank is closed [bold]today[/bold].", advice="Come back tomorrow.")
WRONG = SettingsError("The settings are not valid:\n  BANK_X: missing\n", advice="Correct these variables.")


def call(error: Exception | None, *arguments: str) -> Result:
    app = cli.program("bank-common", "Nothing but a test.")

    @app.command()
    def run(debug: cli.Debug = False) -> None:
        with cli.reported(debug=debug, exit_code=3):
            if error is not None:
                raise error
        typer.echo("done")

    return CliRunner().invoke(app, list(arguments))


def test_a_program_tells_its_version_before_anything_else() -> None:
    said = call(FAILED, "--version", "run")
    assert (said.exit_code, said.stdout) == (0, f"bank-common {version('bank-common')}\n")


def test_without_a_command_it_shows_its_help() -> None:
    assert "Nothing but a test." in call(None).output


def test_a_failure_is_a_message_advice_in_a_line_of_its_own_and_an_exit_code() -> None:
    said = call(FAILED, "run")
    assert (said.exit_code, said.stdout) == (3, "")
    assert said.stderr == "error: The bank is closed [bold]today[/bold].\nCome back tomorrow.\n"


def test_settings_that_are_not_valid_end_with_2() -> None:
    said = call(WRONG, "run")
    assert said.exit_code == cli.EXIT_SETTINGS
    assert said.stderr == "error: The settings are not valid:\n  BANK_X: missing\nCorrect these variables.\n"


def test_with_debug_a_failure_is_a_traceback() -> None:
    said = call(FAILED, "run", "--debug")
    assert said.exception is FAILED


def test_a_defect_is_never_hidden() -> None:
    said = call(ZeroDivisionError(), "run")
    assert isinstance(said.exception, ZeroDivisionError)


@pytest.mark.parametrize("arguments", [("run",), ("run", "--debug")])
def test_what_succeeds_is_left_alone(arguments: tuple[str, ...]) -> None:
    said = call(None, *arguments)
    assert (said.exit_code, said.stdout) == (0, "done\n")
