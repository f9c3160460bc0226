"""DuckDB's errors as Snowflake's: number, SQL state and the wording that clients look for. Never an HTTP 500."""

import re
from typing import Final

import duckdb
from snowflake.connector import errors as sf

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
_OUT_OF_RANGE: Final = re.compile(r"out of range|Could not cast value .* to DECIMAL", re.IGNORECASE)
_NO_NUMBER: Final = re.compile(r"to (?:DECIMAL|INT|BIGINT)", re.IGNORECASE)
_UNSUPPORTED: Final = 2
_OWN_FAULTS: Final = (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InternalException, duckdb.FatalException)
"""The warehouse's own, and no value's: clients tell them apart by the number."""
LOCK_TIMEOUT: Final = 625
CANCELLED: Final = 604
STATEMENT_TIMEOUT: Final = 630
ABORTED: Final = 90132


def missing_object(name: str) -> sf.ProgrammingError:
    """dbt looks for exactly these words."""
    text = f"SQL compilation error:\nObject '{name}' does not exist or not authorized."
    return sf.ProgrammingError(msg=text, errno=2003, sqlstate="42S02")


def missing_place(name: str) -> sf.ProgrammingError:
    """A database or schema that is named but is not there."""
    text = f"SQL compilation error:\nObject '{name}' does not exist, or operation cannot be performed."
    return sf.ProgrammingError(msg=text, errno=2043, sqlstate="02000")


def statement_count(count: int) -> sf.ProgrammingError:
    """Several statements in one request."""
    text = f"Actual statement count {count} did not match the desired statement count 1."
    return sf.ProgrammingError(msg=text, errno=8, sqlstate="0A000")


def unsupported(what: str) -> sf.ProgrammingError:
    """The error for what the stand-in does not do, with Snowflake's number for unsupported features."""
    text = f"SQL compilation error:\nUnsupported feature in the local stand-in: {what}."
    return sf.ProgrammingError(msg=text, errno=_UNSUPPORTED, sqlstate="0A000")


def compilation(text: str, *, errno: int = 1003, sqlstate: str = "42000") -> sf.ProgrammingError:
    """A statement that can't be compiled."""
    return sf.ProgrammingError(msg=f"SQL compilation error:\n{text}", errno=errno, sqlstate=sqlstate)


def lock_timeout(table: str, seconds: float) -> sf.ProgrammingError:
    """Another transaction held the table's lock for too long."""
    text = f"Statement timed out after {seconds:.0f} s: another transaction holds the lock of table '{table}'."
    return sf.ProgrammingError(msg=text, errno=LOCK_TIMEOUT, sqlstate="57014")


def deadlock(table: str) -> sf.ProgrammingError:
    """Two transactions wait for each other: the one that would close the circle is refused."""
    text = f"Deadlock: the transaction that holds the lock of table '{table}' waits for this one. Run this one again."
    return sf.ProgrammingError(msg=text, errno=LOCK_TIMEOUT, sqlstate="40001")


def role_not_assigned(role: str) -> sf.ProgrammingError:
    """USE ROLE of a role that the user does not have."""
    text = (
        f"SQL access control error:\nRequested role '{role}' is not assigned to the executing user. "
        "Specify another role to activate."
    )
    return sf.ProgrammingError(msg=text, errno=3013, sqlstate="42501")


def cancelled() -> sf.ProgrammingError:
    """The client has cancelled the statement."""
    return sf.ProgrammingError(msg="SQL execution canceled", errno=CANCELLED, sqlstate="57014")


def statement_timeout(seconds: float) -> sf.ProgrammingError:
    """The statement has run for as long as STATEMENT_TIMEOUT_IN_SECONDS allows."""
    text = f"Statement reached its statement or warehouse timeout of {seconds:.0f} second(s) and was canceled."
    return sf.ProgrammingError(msg=text, errno=STATEMENT_TIMEOUT, sqlstate="57014")


def invalid_parameter(name: str, value: str) -> sf.ProgrammingError:
    """A value that a session's parameter can't have."""
    return compilation(f"invalid value [{value}] for parameter '{name}'", errno=1008, sqlstate="22023")


def no_session(number: int) -> sf.ProgrammingError:
    """A session that is over, or never was."""
    return compilation(f"Session '{number}' does not exist.", errno=2003, sqlstate="02000")


def not_your_session(number: int) -> sf.ProgrammingError:
    """Another user's session."""
    text = f"SQL access control error:\nInsufficient privileges to operate on session '{number}'."
    return sf.ProgrammingError(msg=text, errno=3001, sqlstate="42501")


def aborted() -> sf.ProgrammingError:
    """A COMMIT after a failed statement must not keep half of a transaction."""
    text = (
        "The transaction was rolled back, because a statement in it failed or because its client said nothing while "
        "others waited. ROLLBACK and run it again."
    )
    return sf.ProgrammingError(msg=text, errno=ABORTED, sqlstate="25000")


def translate(error: Exception) -> sf.Error:
    """Any error of a statement as the one that Snowflake would give, or a clear internal error."""
    if isinstance(error, sf.Error):
        return _reworded(str(error.raw_msg or error.msg or ""), error)
    if isinstance(error, NotImplementedError):
        return unsupported(str(error) or type(error).__name__)
    first = _first_line(str(error)) or type(error).__name__
    match error:
        case duckdb.InterruptException():
            return cancelled()
        case duckdb.ConstraintException():
            text = f"NULL result in a non-nullable column: {first}"
            return sf.ProgrammingError(msg=text, errno=100072, sqlstate="22000")
        case duckdb.ConversionException() | duckdb.OutOfRangeException() | duckdb.InvalidInputException():
            return _reworded(first, sf.ProgrammingError(msg=first, errno=100038, sqlstate="22018"))
        case duckdb.CatalogException():
            return _reworded(first, sf.ProgrammingError(msg=first, errno=2003, sqlstate="42S02"))
        case duckdb.TransactionException():
            return sf.ProgrammingError(msg=f"Transaction conflict: {first}", errno=90031, sqlstate="40001")
        case (
            duckdb.OutOfMemoryException() | duckdb.IOException() | duckdb.InternalException() | duckdb.FatalException()
        ):
            # The warehouse's own fault, and no value's: clients tell them apart by the number.
            return sf.ProgrammingError(msg=f"SQL execution internal error: {first}", errno=300010, sqlstate="XX000")
        case duckdb.Error():
            return compilation(f"{type(error).__name__}: {first}", errno=100132, sqlstate="P0000")
        case _:
            return compilation(f"The local stand-in failed on this statement: {type(error).__name__}: {first}")


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _reworded(text: str, error: sf.Error) -> sf.Error:
    """Upstream and DuckDB have one number for many things: what the text says decides."""
    if match := _EXISTS.search(text):
        return compilation(f"Object '{match[2]}' already exists.", errno=2002, sqlstate="42710")
    if match := _NO_SCHEMA.search(text):
        return missing_place(match[1])
    if match := _NO_FUNCTION.search(text):
        return compilation(f"Unknown function {match[1].upper()}", errno=2140, sqlstate="42601")
    if error.errno in (2003, 2043) and (match := _MISSING.search(text)):
        return missing_object(match[1])
    if match := _COLUMN.search(text) or _NO_COLUMN.search(text):
        return compilation(f"error: invalid identifier '{match[1]}'", errno=904, sqlstate="42000")
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
