"""Statements on the session: USE ROLE, ALTER SESSION, SHOW PARAMETERS, SET, and SELECT SYSTEM$…."""

import re
from typing import Final

from snowflake_local.parse.text import STRING, unquoted
from snowflake_local.recognise.commands import (
    Refused,
    SetParameters,
    SetVariable,
    ShowParameter,
    SystemCall,
    UseContext,
)

_USE: Final = re.compile(r"\s*USE\s+(ROLE|WAREHOUSE)\s+([\w.\"$]+)\s*;?\s*$", re.IGNORECASE)
_SESSION: Final = re.compile(r"\s*ALTER\s+SESSION\s+(SET|UNSET)\s+(.*?)\s*;?\s*$", re.IGNORECASE | re.DOTALL)
_PARAMETER: Final = re.compile(rf"(\w+)\s*=\s*({STRING}|[\w.+-]+)\s*(?:,\s*)?", re.DOTALL)
_SHOW: Final = re.compile(r"\s*SHOW\s+PARAMETERS\s+LIKE\s+'(\w+)'", re.IGNORECASE)
_SET: Final = re.compile(rf"\s*SET\s+(\w+)\s*=\s*({STRING}|[-+]?[\d.]+|TRUE|FALSE)\s*;?\s*$", re.IGNORECASE | re.DOTALL)
_UNSET: Final = re.compile(r"\s*UNSET\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_SYSTEM: Final = re.compile(
    r"\s*SELECT\s+(SYSTEM\$(CANCEL_ALL_QUERIES|ABORT_SESSION|WAIT)\s*\(\s*('?)(\d+|\?)\3\s*\))(?:\s+(?:AS\s+)?(\w+))?\s*;?\s*$",
    re.IGNORECASE,
)


def use(statement: str) -> UseContext | None:
    """USE ROLE or USE WAREHOUSE, or None for another USE."""
    match = _USE.match(statement)
    return UseContext(match[1].upper(), match[2].strip('"').upper()) if match else None


def session(statement: str) -> SetParameters | None:
    """ALTER SESSION, or None for another ALTER and for AUTOCOMMIT, which ends a transaction."""
    match = _SESSION.match(statement)
    if match is None:
        return None
    if match[1].upper() == "UNSET":
        return SetParameters(dict.fromkeys(re.findall(r"\w+", match[2].upper())))
    values: dict[str, str | None] = {}
    position = 0
    while position < len(match[2]):
        pair = _PARAMETER.match(match[2], position)
        if pair is None:
            return None
        values[pair[1].upper()] = unquoted(pair[2])
        position = pair.end()
    return None if "AUTOCOMMIT" in values else SetParameters(values)


def parameter(statement: str) -> ShowParameter | None:
    """SHOW PARAMETERS LIKE, or None for another SHOW."""
    match = _SHOW.match(statement)
    return ShowParameter(match[1].upper()) if match else None


def variable(statement: str) -> SetVariable | Refused:
    """SET or UNSET of a session's variable."""
    if match := _SET.match(statement):
        return SetVariable(match[1].upper(), match[2])
    if match := _UNSET.match(statement):
        return SetVariable(match[1].upper(), None)
    return Refused("SET of anything but one variable to a literal")


def system_call(statement: str) -> SystemCall | None:
    """SELECT of a control function, or None for another SELECT."""
    match = _SYSTEM.match(statement)
    if match is None:
        return None
    argument = None if match[4] == "?" else int(match[4])
    return SystemCall(match[2].upper(), argument, (match[5] or match[1]).upper())
