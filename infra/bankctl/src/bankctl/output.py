"""Where results go: the terminal as wide as it is, anything else wide enough that no table is cut."""

from typing import Final

from rich.console import Console

_PIPED_WIDTH: Final = 200


def console() -> Console:
    """A console on standard output."""
    found = Console()
    return found if found.is_terminal else Console(width=_PIPED_WIDTH)
