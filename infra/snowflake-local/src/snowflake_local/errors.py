"""DuckDB's errors as Snowflake's: number, SQL state and the wording that clients look for. Never an HTTP 500."""

import re
from typing import Final

import duckdb
from snowflake.connector import errors as sf

_MISSING: Final = re.compile(
    r"(?:Table|View|Schema|Catalog|Database|Macro)(?: with name)? \"?([\w.$\"]+?)\"? does not exist", re.IGNORECASE
)
_UNSUPPORTED: Final = 2
LOCK_TIMEOUT: Final = 625
ABORTED: Final = 90132


def missing_object(name: str) -> sf.ProgrammingError:
    """dbt looks for exactly these words."""
    text = f"SQL compilation error:\nObject '{name}' does not exist or not authorized."
    return sf.ProgrammingError(msg=text, errno=2003, sqlstate="42S02")


def unsupported(what: str) -> sf.ProgrammingError:
    """What the stand-in does not do: said clearly, with Snowflake's number for unsupported features."""
    text = f"SQL compilation error:\nUnsupported feature in the local stand-in: {what}."
    return sf.ProgrammingError(msg=text, errno=_UNSUPPORTED, sqlstate="0A000")


def compilation(text: str, *, errno: int = 1003, sqlstate: str = "42000") -> sf.ProgrammingError:
    """A statement that can't be compiled."""
    return sf.ProgrammingError(msg=f"SQL compilation error:\n{text}", errno=errno, sqlstate=sqlstate)


def lock_timeout(table: str, seconds: float) -> sf.ProgrammingError:
    """Another transaction held the table's lock for too long."""
    text = f"Statement timed out after {seconds:.0f} s: another transaction holds the lock of table '{table}'."
    return sf.ProgrammingError(msg=text, errno=LOCK_TIMEOUT, sqlstate="57014")


def aborted() -> sf.ProgrammingError:
    """A COMMIT after a failed statement must not keep half of a transaction."""
    text = "The transaction was rolled back because a statement in it failed. ROLLBACK and run it again."
    return sf.ProgrammingError(msg=text, errno=ABORTED, sqlstate="25000")


def translate(error: Exception) -> sf.Error:
    """Any error of a statement as the one that Snowflake would give, or a clear internal error."""
    if isinstance(error, sf.Error):
        return _reworded(error)
    if isinstance(error, NotImplementedError):
        return unsupported(str(error) or type(error).__name__)
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    match error:
        case duckdb.ConstraintException():
            text = f"NULL result in a non-nullable column: {first}"
            return sf.ProgrammingError(msg=text, errno=100072, sqlstate="22000")
        case duckdb.ConversionException() | duckdb.OutOfRangeException() | duckdb.InvalidInputException():
            return sf.ProgrammingError(msg=first, errno=100038, sqlstate="22018")
        case duckdb.CatalogException():
            return _reworded(sf.ProgrammingError(msg=first, errno=2003, sqlstate="42S02"))
        case duckdb.TransactionException():
            return sf.ProgrammingError(msg=f"Transaction conflict: {first}", errno=90031, sqlstate="40001")
        case duckdb.Error():
            return compilation(f"{type(error).__name__}: {first}", errno=100132, sqlstate="P0000")
        case _:
            return compilation(f"The local stand-in failed on this statement: {type(error).__name__}: {first}")


def _reworded(error: sf.Error) -> sf.Error:
    text = str(error.msg or "")
    if error.errno == 100035 and ("to DECIMAL" in text or "to INT" in text or "to BIGINT" in text):
        return sf.ProgrammingError(msg=text, errno=100038, sqlstate="22018")
    match = _MISSING.search(str(error.msg or error)) if error.errno in (2003, 2043) else None
    return missing_object(match[1]) if match else error
