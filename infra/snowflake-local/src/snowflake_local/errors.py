"""A statement's errors as Snowflake has them: number, SQL state and the wording that clients look for."""

from typing import Final

from snowflake.connector import errors as sf

_UNSUPPORTED: Final = 2
LOCK_TIMEOUT: Final = 625
CANCELLED: Final = 604
STATEMENT_TIMEOUT: Final = 630
ABORTED: Final = 90132


def missing_object(name: str) -> sf.ProgrammingError:
    """dbt looks for exactly these words."""
    text = f"SQL compilation error:\nObject '{name}' does not exist or not authorized."
    return sf.ProgrammingError(msg=text, errno=2003, sqlstate="42S02")


def missing_stage(name: str) -> sf.ProgrammingError:
    """A stage that is not there."""
    text = f"SQL compilation error:\nStage '{name}' does not exist or not authorized."
    return sf.ProgrammingError(msg=text, errno=2003, sqlstate="02000")


def missing_file(name: str) -> sf.ProgrammingError:
    """A file of COPY's FILES that is not on the stage."""
    return sf.ProgrammingError(msg=f"Remote file '{name}' was not found.", errno=91016, sqlstate="22000")


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


def null_result(text: str) -> sf.ProgrammingError:
    """NULL for a column that must have a value."""
    return sf.ProgrammingError(msg=f"NULL result in a non-nullable column: {text}", errno=100072, sqlstate="22000")


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


def invalid_property(name: str) -> sf.ProgrammingError:
    """A value that an option of a statement can't have."""
    return compilation(f"Invalid value specified for property '{name}'", errno=1481, sqlstate="42601")


def no_current(what: str) -> sf.ProgrammingError:
    """A name that is not qualified, in a session without a current database or schema."""
    text = f"This session does not have a current {what}. Call 'USE {what.upper()}', or use a qualified name."
    return sf.ProgrammingError(msg=text, errno=90105 if what == "database" else 90106, sqlstate="22000")


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
