"""Runs dbt in dbt's own environment: `python -P launcher.py <dbt> …`. Imports nothing of ours.

The connector makes the logger of its Arrow reader under `std::call_once` and takes the interpreter's lock inside it:
two threads that read their first results at the same moment wait for each other for ever (seen in one build of ten on
a busy machine). Reading one row before dbt starts its threads makes that logger once. To be removed when dbt's
environment has a connector with https://github.com/snowflakedb/snowflake-connector-python/pull/2881.
"""

import base64
import runpy
import sys

from snowflake.connector.arrow_context import ArrowConverterContext
from snowflake.connector.nanoarrow_arrow_iterator import PyArrowRowIterator

# An Arrow stream with the one row (1,), written by pyarrow with the field metadata that Snowflake sends.
_ONE_ROW = base64.b64decode(
    "/////zABAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAEAAAAYAAAAAAASABgACAAGAAcADAAAABAAFAASAA"
    "AAAAABAhQAAADMAAAACAAAABAAAAAAAAAAAQAAAHgAAAAEAAAAgAAAAFAAAAAsAAAABAAAAJj///8QAAAABAAAAAEAAAAwAAAACgAAAGNoYXJM"
    "ZW5ndGgAALz///8QAAAABAAAAAEAAAAwAAAABQAAAHNjYWxlAAAA3P///xAAAAAEAAAAAQAAADEAAAAJAAAAcHJlY2lzaW9uAAAACAAMAAQACA"
    "AIAAAAFAAAAAQAAAAFAAAARklYRUQAAAALAAAAbG9naWNhbFR5cGUACAAMAAgABwAIAAAAAAAAAQgAAAAAAAAA/////4gAAAAUAAAAAAAAAAwA"
    "FgAGAAUACAAMAAwAAAAAAwQAGAAAAAgAAAAAAAAAAAAKABgADAAEAAgACgAAADwAAAAQAAAAAQAAAAAAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAD/////AAAAAA=="
)


def read_one_row() -> list[tuple[int, ...]]:
    """Make the reader's loggers while there is one thread."""
    return list(PyArrowRowIterator(None, _ONE_ROW, ArrowConverterContext(), False, False, False, True))


if __name__ == "__main__":
    if read_one_row() != [(1,)]:
        sys.exit("snowflake-connector's Arrow reader does not read a plain stream")
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
