"""Renders `.env.example`: every setting of every program, from the settings classes themselves."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Final

from bank_common.runtime.env_example import render as render_program
from bank_common.runtime.errors import PipelineError
from bank_common.runtime.settings import ProgramSettings

_PROGRAMS: Final = (
    ("bank, the command", "bankctl.stack.settings"),
    ("generator", "generator.settings"),
    ("cdc-consumer", "cdc_consumer.settings"),
    ("event-receiver", "event_receiver.settings"),
    ("Airflow's DAGs", "bank_dags.settings"),
)
_SEPARATE_PROJECTS: Final = (Path("orchestration", "airflow", "src"),)
"""Sources that are not in the workspace's environment; their settings modules need nothing but bank_common."""

_HEADER: Final = """\
# Every setting of every program with its default. Rendered by `bank render`; do not edit.
# Copied to `.env`, it is read by `bank` from the current folder: what the shell says to `bank` wins over it; what it
# says to another program wins over what `bank up` would say. BANK_ENV_FILE names another file.
# `bank up` writes each program's own environment to .local/env/<program>.env: source that for a start by hand.
# Variables without # have no default. <VARIABLE>_FILE=/path takes the value from a file instead.
"""
_SHARED: Final = """
# -- shared ------------------------------------------------------------------------------------------------------------
# BANKCTL_LOGGING__… and BANKCTL_TELEMETRY__… are handed on to every service.
# Downloads and builds, shared by checkouts.
#BANK_CACHE_DIR=~/.cache/banking-data-pipeline
# A real Snowflake account; with SNOWFLAKE_ACCOUNT set, the local stand-in is not started.
#SNOWFLAKE_ACCOUNT=
#SNOWFLAKE_USER=
#SNOWFLAKE_PRIVATE_KEY_FILE=
#SNOWFLAKE_ROLE=
#SNOWFLAKE_WAREHOUSE=
#SNOWFLAKE_DATABASE=BANK
"""


def render(root: Path) -> str:
    """The file's text.

    Raises:
        PipelineError: a settings module can't be imported, or does not hold exactly one settings class.
    """
    with _importable([root / folder for folder in _SEPARATE_PROJECTS]):
        sections = [f"\n{_rule(title)}\n{render_program(_settings_class(module))}" for title, module in _PROGRAMS]
    return _HEADER + _SHARED + "".join(sections)


def _rule(title: str) -> str:
    return f"# -- {title} ".ljust(120, "-")


def _settings_class(module: str) -> type[ProgramSettings]:
    try:
        classes = [
            value
            for value in vars(import_module(module)).values()
            if isinstance(value, type) and issubclass(value, ProgramSettings) and value.__module__ == module
        ]
    except ImportError as error:
        raise PipelineError(f"{module} can't be imported: {error}.", advice="Run `make setup`.") from error
    # A part of a program's settings may be a class of its own, which the program's class adds to.
    classes = [one for one in classes if not any(one is not other and issubclass(other, one) for other in classes)]
    if len(classes) != 1:
        raise PipelineError(
            f"{module} holds {len(classes)} settings classes.", advice="A program has one ProgramSettings class."
        )
    return classes[0]


@contextmanager
def _importable(folders: list[Path]) -> Iterator[None]:
    sys.path[:0] = map(str, folders)
    try:
        yield
    finally:
        del sys.path[: len(folders)]
