"""Checks the upstream versions: `rewrite.upstream` calls functions of exactly these, so no other version may start."""

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
    for package, pinned in tested.items():
        try:
            installed = version(package)
        except PackageNotFoundError:
            installed = "missing"
        if installed != pinned:
            raise IncompatibleVersionError(
                f"snowflake-local calls transforms of {package} {pinned}, but {installed} is installed. Install the "
                "locked versions (uv sync --locked), or compare rewrite/upstream.py with the new version, raise the "
                "pin and run the conformance suite."
            )
