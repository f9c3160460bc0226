"""Runs dbt in dbt's own environment: `python -P launcher.py <dbt> …`. Imports nothing of ours.

It imports dbt at once and builds when its input says so: the task meanwhile logs in and looks whether a build is owed.

The connector makes the logger of its Arrow reader under `std::call_once` and takes the interpreter's lock inside it:
two threads that read their first results at the same moment wait for each other for ever (seen in one build of ten on
a busy machine). Reading one row before dbt starts its threads makes that logger once. To be removed when dbt's
environment has a connector with https://github.com/snowflakedb/snowflake-connector-python/pull/2881.
"""

import base64
import gc
import importlib
import runpy
import signal
import sys

# An Arrow stream with the one row (1,), written by pyarrow with the field metadata that Snowflake sends.
_ONE_ROW = base64.b64decode(
    "/////zABAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAEAAAAYAAAAAAASABgACAAGAAcADAAAABAAFAASAA"
    "AAAAABAhQAAADMAAAACAAAABAAAAAAAAAAAQAAAHgAAAAEAAAAgAAAAFAAAAAsAAAABAAAAJj///8QAAAABAAAAAEAAAAwAAAACgAAAGNoYXJM"
    "ZW5ndGgAALz///8QAAAABAAAAAEAAAAwAAAABQAAAHNjYWxlAAAA3P///xAAAAAEAAAAAQAAADEAAAAJAAAAcHJlY2lzaW9uAAAACAAMAAQACA"
    "AIAAAAFAAAAAQAAAAFAAAARklYRUQAAAALAAAAbG9naWNhbFR5cGUACAAMAAgABwAIAAAAAAAAAQgAAAAAAAAA/////4gAAAAUAAAAAAAAAAwA"
    "FgAGAAUACAAMAAwAAAAAAwQAGAAAAAgAAAAAAAAAAAAKABgADAAEAAgACgAAADwAAAAQAAAAAQAAAAAAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAD/////AAAAAA=="
)


def import_dbt() -> None:
    """Import what a build needs. The cyclic collector would walk all of dbt's classes again and again: a third more."""
    gc.disable()
    for module in ("dbt.cli.main", "dbt.adapters.snowflake"):
        importlib.import_module(module)
    gc.freeze()
    gc.enable()


def read_one_row() -> list[tuple[int, ...]]:
    """Make the reader's loggers while there is one thread."""
    from snowflake.connector.arrow_context import ArrowConverterContext
    from snowflake.connector.nanoarrow_arrow_iterator import PyArrowRowIterator

    return list(PyArrowRowIterator(None, _ONE_ROW, ArrowConverterContext(), False, False, False, True))


if __name__ == "__main__":
    # Inherited as ignored when Airflow was started in the background of a shell, and dbt would not hear of its end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    import_dbt()
    if read_one_row() != [(1,)]:
        sys.exit("snowflake-connector's Arrow reader does not read a plain stream")
    if not sys.stdin.readline():
        sys.exit("no build was asked for")
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
