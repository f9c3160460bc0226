"""Imports that every dbt process of ours makes before dbt starts: dbt itself, and the connector's Arrow reader, once.

The connector makes the logger of its Arrow reader under `std::call_once` and takes the interpreter's lock inside it:
two threads that read their first results at the same moment wait for each other for ever (seen in one build of ten on
a busy machine). Reading one row before dbt starts its threads makes that logger once, for forked children as well. To
be removed when dbt's environment has a connector with
https://github.com/snowflakedb/snowflake-connector-python/pull/2881.
"""

import base64
import gc
import importlib
import os
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


def make_arrow_reader() -> None:
    """Make the reader's loggers while there is one thread; ends the process when the reader does not read."""
    from snowflake.connector.arrow_context import ArrowConverterContext
    from snowflake.connector.nanoarrow_arrow_iterator import PyArrowRowIterator

    if list(PyArrowRowIterator(None, _ONE_ROW, ArrowConverterContext(), False, False, False, True)) != [(1,)]:
        sys.exit("snowflake-connector's Arrow reader does not read a plain stream")


def adopt(environment: dict[str, str]) -> None:
    """Add a build's variables to the environment; dbt has kept those that it saw when it was imported."""
    os.environ.update(environment)
    importlib.import_module("dbt_common.events.functions").reset_metadata_vars()
