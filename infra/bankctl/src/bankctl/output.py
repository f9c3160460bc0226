"""The output console: as wide as the terminal, and wide enough elsewhere that no table is cut."""

from typing import Final

from rich.console import Console

_PIPED_WIDTH: Final = 200


def console() -> Console:
    """A console on standard output."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=_PIPED_WIDTH)
