"""COPY INTO a table: what this stand-in loads truly, and every other form and option refused by its name."""

import re
from typing import Final

from snowflake_local import errors
from snowflake_local.parse import options
from snowflake_local.parse.names import NAME, parts
from snowflake_local.parse.options import Options
from snowflake_local.recognise.commands import CopyFiles

MAX_FILES: Final = 1000
"""Snowflake's bound on the list of FILES."""
_COPY: Final = re.compile(
    rf"\s*COPY\s+INTO\s+({NAME})\s+FROM\s+(?:'(@[^']+)'|(@[^\s';]+))(.*?);?\s*$", re.IGNORECASE | re.DOTALL
)
_OTHER_FORMS: Final = (
    (re.compile(r"\s*COPY\s+INTO\s+'?(@|\w+://)", re.IGNORECASE), "COPY INTO a location"),
    (re.compile(rf"\s*COPY\s+INTO\s+{NAME}\s*\(", re.IGNORECASE), "COPY INTO a list of columns"),
    (re.compile(r"\s*COPY\s+INTO\s[^']*?\bFROM\s*\(", re.IGNORECASE), "COPY from a query"),
    (re.compile(r"\s*COPY\s+INTO\s[^']*?\bFROM\s+'?\w+://", re.IGNORECASE), "COPY from an external location"),
)
_OPTIONS: Final = ("FILES", "FILE_FORMAT", "FORCE", "MATCH_BY_COLUMN_NAME", "ON_ERROR")
_FORMAT_OPTIONS: Final = ("TYPE", "USE_LOGICAL_TYPE")


def read(statement: str) -> CopyFiles:
    """COPY, its options checked: one that would be ignored is refused.

    Raises:
        snowflake.connector.errors.ProgrammingError: a form, an option or an option's value that is not known here.
    """
    match = _COPY.match(statement)
    if match is None:
        for form, feature in _OTHER_FORMS:
            if form.match(statement):
                raise errors.unsupported(feature)
        raise errors.compilation("syntax error: write COPY INTO <table> FROM @<stage>/<path> <OPTION> = <value> …")
    given = options.read(match[4])
    options.only("COPY", given, _OPTIONS)
    _check_format(given)
    if options.word(given, "MATCH_BY_COLUMN_NAME", "NONE") != "CASE_INSENSITIVE":
        raise errors.unsupported("COPY of Parquet without MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE")
    if options.word(given, "ON_ERROR", "ABORT_STATEMENT") != "ABORT_STATEMENT":
        raise errors.unsupported("ON_ERROR other than ABORT_STATEMENT (Parquet files load whole or not at all)")
    force = options.boolean(given, "FORCE", default=False)
    return CopyFiles(parts(match[1]), match[2] or match[3], _files(given), force)


def _check_format(given: Options) -> None:
    file_format = given.get("FILE_FORMAT", {})
    if not isinstance(file_format, dict):
        raise errors.unsupported("COPY with a named file format")
    options.only("FILE_FORMAT", file_format, _FORMAT_OPTIONS)
    if options.word(file_format, "TYPE", "CSV") != "PARQUET":
        raise errors.unsupported("COPY of anything but Parquet")
    if not options.boolean(file_format, "USE_LOGICAL_TYPE", default=False):
        raise errors.compilation(
            "Write USE_LOGICAL_TYPE = TRUE: Snowflake's default reads Parquet timestamps as integers."
        )


def _files(given: Options) -> tuple[str, ...] | None:
    files = given.get("FILES")
    if files is None:
        return None
    if not isinstance(files, tuple):
        raise errors.invalid_property("FILES")
    if len(files) > MAX_FILES:
        raise errors.compilation(f"The FILES list may name at most {MAX_FILES} files.")
    return files
