"""The log of a component, as a person reads it: its end."""

from pathlib import Path


def log_tail(log_file: Path, lines: int = 20) -> str:
    """The last lines of a log."""
    try:
        with log_file.open("rb") as file:
            file.seek(max(0, log_file.stat().st_size - 64 * 1024))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"
