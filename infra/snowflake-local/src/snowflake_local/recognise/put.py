"""PUT: clients send it once more for each file. Its options are those of Snowflake, all four of them."""

import re
from typing import Final

from snowflake_local import errors
from snowflake_local.parse import options
from snowflake_local.recognise.commands import PutFiles

_PUT: Final = re.compile(
    r"\s*PUT\s+(?:'(file://[^']+)'|(file://[^\s';]+))\s+(?:'(@[^']+)'|(@[^\s';]+|\?))(.*?);?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_PARALLEL: Final = 4
_MOST_PARALLEL: Final = 99
_OPTIONS: Final = ("AUTO_COMPRESS", "OVERWRITE", "PARALLEL", "SOURCE_COMPRESSION")
_COMPRESSIONS: Final = ("AUTO_DETECT", "GZIP", "BZ2", "BROTLI", "ZSTD", "DEFLATE", "RAW_DEFLATE", "NONE")
"""https://docs.snowflake.com/en/sql-reference/sql/put"""


def read(statement: str) -> PutFiles:
    """PUT, with the defaults of the options that it leaves out.

    Raises:
        snowflake.connector.errors.ProgrammingError: it reads otherwise, or an option is unknown or has another value.
    """
    match = _PUT.match(statement)
    if match is None:
        raise errors.compilation("syntax error: write PUT 'file://<path>' @<stage>/<path> <OPTION> = <value> …")
    given = options.read(match[5])
    options.only("PUT", given, _OPTIONS)
    compression = options.word(given, "SOURCE_COMPRESSION", "AUTO_DETECT")
    if compression not in _COMPRESSIONS:
        raise errors.invalid_property("SOURCE_COMPRESSION")
    parallel = options.word(given, "PARALLEL", str(_PARALLEL))
    if not parallel.isdecimal() or not 1 <= int(parallel) <= _MOST_PARALLEL:
        raise errors.invalid_property("PARALLEL")
    return PutFiles(
        source=match[1] or match[2],
        reference=match[3] or match[4],
        overwrite=options.boolean(given, "OVERWRITE", default=False),
        auto_compress=options.boolean(given, "AUTO_COMPRESS", default=True),
        source_compression=compression.lower(),
        parallel=int(parallel),
    )
