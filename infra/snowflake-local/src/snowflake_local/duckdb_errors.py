"""DuckDB's and fakesnow's errors as Snowflake's. Never an HTTP 500: clients try that again for ever."""

import re
from typing import Final

import duckdb
from snowflake.connector import errors as sf

from snowflake_local import errors

_MISSING: Final = re.compile(
    r"(?:Table|View|Schema|Catalog|Database|Macro)(?: with name)? \"?([\w.$\"]+?)\"? does not exist", re.IGNORECASE
)
_NO_SCHEMA: Final = re.compile(r"SET schema: No catalog \+ schema named \"?([\w.$\"]+?)\"? found")
_EXISTS: Final = re.compile(
    r"(Table|View|Schema|Database|Index) with name \"?([\w.$]+)\"? already exists", re.IGNORECASE
)
_COLUMN: Final = re.compile(r"(?:Referenced column|Ambiguous reference to column name) \"([^\"]+)\"", re.IGNORECASE)
_NO_COLUMN: Final = re.compile(r"(?:does not have|no) a? ?column (?:named|with name) \"?([\w.$]+)", re.IGNORECASE)
_NO_FUNCTION: Final = re.compile(r"Function with name \"?([\w.$]+)\"? does not exist", re.IGNORECASE)
_TWICE: Final = re.compile("Duplicate struct entry name|Duplicate named argument")
_OUT_OF_RANGE: Final = re.compile(r"out of range|Could not cast value .* to DECIMAL", re.IGNORECASE)
_NO_NUMBER: Final = re.compile(r"to (?:DECIMAL|INT|BIGINT)", re.IGNORECASE)
_OWN_FAULTS: Final = (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InternalException, duckdb.FatalException)
"""The warehouse's own, and no value's: clients tell them apart by the number."""


def translate(error: Exception) -> sf.Error:
    """Any error of a statement as the one that Snowflake would give, or a clear internal error."""
    if isinstance(error, sf.Error):
        return _reworded(str(error.raw_msg or error.msg or ""), error)
    if isinstance(error, NotImplementedError):
        return errors.unsupported(str(error) or type(error).__name__)
    if isinstance(error, duckdb.Error):
        return _of_duckdb(error)
    return errors.compilation(f"The local stand-in failed on this statement: {type(error).__name__}: {_first(error)}")


def _first(error: Exception) -> str:
    return _first_line(str(error)) or type(error).__name__


def _of_duckdb(error: duckdb.Error) -> sf.Error:
    first = _first(error)
    match error:
        case duckdb.InterruptException():
            return errors.cancelled()
        case duckdb.ConstraintException():
            return errors.null_result(first)
        case duckdb.BinderException():
            is_twice = _TWICE.search(str(error)) is not None
            errno, sqlstate = (100103, "22000") if is_twice else (2043, "02000")
            return _reworded(str(error), sf.ProgrammingError(msg=str(error), errno=errno, sqlstate=sqlstate))
        case duckdb.ResourceInUseException():  # how it says that a database is there
            return errors.compilation(first, errno=2002, sqlstate="42710")
        case duckdb.ParserException():
            return sf.ProgrammingError(msg=str(error), errno=1003, sqlstate="42000")
        case duckdb.ConversionException():
            return _reworded(first, sf.ProgrammingError(msg=first, errno=100035, sqlstate="22007"))
        case duckdb.OutOfRangeException() | duckdb.InvalidInputException():
            return _reworded(first, sf.ProgrammingError(msg=first, errno=100038, sqlstate="22018"))
        case duckdb.CatalogException():
            return _reworded(first, sf.ProgrammingError(msg=first, errno=2003, sqlstate="42S02"))
        case duckdb.TransactionException():
            return sf.ProgrammingError(msg=f"Transaction conflict: {first}", errno=90031, sqlstate="40001")
        case _ if isinstance(error, _OWN_FAULTS):
            return sf.ProgrammingError(msg=f"SQL execution internal error: {first}", errno=300010, sqlstate="XX000")
        case _:
            return _reworded(
                first, errors.compilation(f"{type(error).__name__}: {first}", errno=100132, sqlstate="P0000")
            )


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _reworded(text: str, error: sf.Error) -> sf.Error:
    """Upstream and DuckDB have one number for many things: what the text says decides."""
    if match := _EXISTS.search(text):
        return errors.compilation(f"Object '{match[2]}' already exists.", errno=2002, sqlstate="42710")
    if match := _NO_SCHEMA.search(text):
        return errors.missing_place(match[1])
    if match := _NO_FUNCTION.search(text):
        return errors.compilation(f"Unknown function {match[1].upper()}", errno=2140, sqlstate="42601")
    if error.errno in (2003, 2043) and (match := _MISSING.search(text)):
        return errors.missing_object(match[1])
    if match := _COLUMN.search(text) or _NO_COLUMN.search(text):
        return errors.compilation(f"error: invalid identifier '{match[1]}'", errno=904, sqlstate="42000")
    if "cannot affect the same target row" in text:
        return sf.ProgrammingError(msg="Duplicate row detected during DML action", errno=100090, sqlstate="42P18")
    if "Malformed JSON" in text:
        return sf.ProgrammingError(msg=f"Error parsing JSON: {_first_line(text)}", errno=100069, sqlstate="22P02")
    if error.errno in (100035, 100038) and _OUT_OF_RANGE.search(text):
        message = f"Number out of representable range: {_first_line(text)}"
        return sf.ProgrammingError(msg=message, errno=100039, sqlstate="22003")
    if error.errno == 100035 and _NO_NUMBER.search(text):
        return sf.ProgrammingError(msg=text, errno=100038, sqlstate="22018")
    return error
