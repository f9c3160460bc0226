"""Snowflake's control functions: another session's statements are cancelled, another session is ended."""

from typing import Any

from snowflake_local import errors
from snowflake_local.recognise.commands import SystemCall
from snowflake_local.sessions.session import Session


def run(session: Session, call: SystemCall, binds: Any) -> str:
    """What SYSTEM$CANCEL_ALL_QUERIES, SYSTEM$ABORT_SESSION or SYSTEM$WAIT gives.

    A user may do it to their own sessions, an administrator to all.

    Raises:
        snowflake.connector.errors.ProgrammingError: another user's session; ABORT_SESSION of one that is not there;
            no number.
    """
    number = call.argument if call.argument is not None else _bound(binds)
    if call.name == "WAIT":
        session.running.wait(number)
        return f"waited {number} seconds"
    other = session.peers.numbered(number)
    if other is not None and session.own_role != "ACCOUNTADMIN" and other.user != session.user:
        raise errors.not_your_session(number)
    if call.name == "CANCEL_ALL_QUERIES":
        cancelled = other is not None and other is not session and other.cancel()
        return f"{int(cancelled)} cancelled."
    if other is None:
        raise errors.no_session(number)
    session.peers.forget(other)
    if other is session:
        session.ending = True
    else:
        other.close()
    return f"session [{number}] terminated."


def _bound(values: Any) -> int:
    value = str(next(iter(values.values() if isinstance(values, dict) else values or ()), ""))
    if not value.isdecimal():
        raise errors.compilation(f"Invalid argument '{value}'.")
    return int(value)
