"""Which upstream versions the gaps are filled for: functions are replaced, so another version must not start."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

TESTED: Final = {"fakesnow": "0.12.1", "duckdb": "2.0.0", "sqlglot": "30.22.0"}


class IncompatibleVersionError(RuntimeError):
    """An upstream package is not the version that this stand-in was made for."""


def check(tested: dict[str, str] = TESTED) -> None:
    """Refuse to run on other versions.

    Raises:
        IncompatibleVersionError: names the package, both versions, and what to do.
    """
    for package, wanted in tested.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            found = "missing"
        if found != wanted:
            raise IncompatibleVersionError(
                f"snowflake-local replaces functions of {package} {wanted}, but {found} is installed. Install the "
                "locked versions (uv sync --locked), or review every replacement, raise the pin and run the "
                "conformance suite."
            )
