"""A statement by its words: each first word has its readers, and what none of them knows is left to the parser."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from snowflake_local.parse.names import NAME, parts
from snowflake_local.parse.tree import refuse_several
from snowflake_local.recognise import copy, put, settings, stages
from snowflake_local.recognise.commands import (
    DONE,
    Accepted,
    Answer,
    Begin,
    Command,
    Commit,
    Refused,
    RollBack,
    SwapTables,
)

Reader = Callable[[str], Command | None]

_FIRST: Final = re.compile(r"\s*([A-Za-z]+)")
_ACCEPTED: Final = re.compile(
    r"\s*(?:(CREATE|ALTER|DROP)\s+(OR\s+REPLACE\s+)?"
    r"(WAREHOUSE|ROLE|USER|RESOURCE\s+MONITOR|NETWORK\s+POLICY|MASKING\s+POLICY|ROW\s+ACCESS\s+POLICY)\b"
    r"|(GRANT|REVOKE)\b"
    r"|USE\s+SECONDARY\s+ROLES?\b"
    r"|ALTER\s+(DATABASE|SCHEMA|STAGE)\b"
    r"|ALTER\s+(TABLE|VIEW)\s+\S+\s+(ALTER|MODIFY)\s+(COLUMN\s+)?\S+\s+COMMENT\b)",
    re.IGNORECASE,
)
_REFUSED: Final = re.compile(
    r"\s*(?:CREATE|ALTER)\s+(?:OR\s+REPLACE\s+)?(?:TRANSIENT\s+|TEMP(?:ORARY)?\s+)?"
    r"(DYNAMIC\s+TABLE|STREAM|TASK|PIPE|EXTERNAL\s+TABLE|FILE\s+FORMAT)\b",
    re.IGNORECASE,
)
_BEGIN: Final = re.compile(
    r"\s*(?:BEGIN|START\s+TRANSACTION)(?:\s+(?:TRANSACTION|WORK))?(?:\s+NAME\s+\w+)?\s*;?\s*$", re.IGNORECASE
)
_COMMIT: Final = re.compile(r"\s*COMMIT(?:\s+WORK)?\s*;?\s*$", re.IGNORECASE)
_ROLLBACK: Final = re.compile(r"\s*ROLLBACK(?:\s+WORK)?\s*;?\s*$", re.IGNORECASE)
_SWAP: Final = re.compile(rf"\s*ALTER\s+TABLE\s+({NAME})\s+SWAP\s+WITH\s+({NAME})\s*;?\s*$", re.IGNORECASE)
_COMMENT: Final = re.compile(
    r"\s*COMMENT\s+(IF\s+EXISTS\s+)?ON\s+(COLUMN|SCHEMA|DATABASE|STAGE|WAREHOUSE|VIEW)\b", re.IGNORECASE
)
_SHOW_NOTHING: Final = re.compile(
    r"\s*SHOW\s+(TERSE\s+)?(ROLES|GRANTS|STREAMS|TASKS|PIPES|DYNAMIC\s+TABLES|INTEGRATIONS)\b", re.IGNORECASE
)


def _accepted(statement: str) -> Accepted | None:
    return Accepted() if _ACCEPTED.match(statement) else None


def _refused(statement: str) -> Refused | None:
    match = _REFUSED.match(statement)
    return Refused(" ".join(match[1].upper().split())) if match else None


def _swap(statement: str) -> SwapTables | None:
    match = _SWAP.match(statement)
    return SwapTables(parts(match[1]), parts(match[2])) if match else None


def _always(pattern: re.Pattern[str], command: Command) -> Reader:
    return lambda statement: command if pattern.match(statement) else None


_READERS: Final[Mapping[str, tuple[Reader, ...]]] = {
    "ALTER": (settings.session, _swap, _refused, _accepted),
    "BEGIN": (_always(_BEGIN, Begin()),),
    "COMMENT": (_always(_COMMENT, DONE),),
    "COMMIT": (_always(_COMMIT, Commit()),),
    "COPY": (copy.read,),
    "CREATE": (stages.create, _refused, _accepted),
    "DROP": (stages.drop, _accepted),
    "GET": (lambda _: Refused("GET"),),
    "GRANT": (_accepted,),
    "LIST": (stages.files,),
    "LS": (stages.files,),
    "PUT": (put.read,),
    "REMOVE": (stages.files,),
    "REVOKE": (_accepted,),
    "RM": (stages.files,),
    "ROLLBACK": (_always(_ROLLBACK, RollBack()),),
    "SELECT": (settings.system_call,),
    "SET": (settings.variable,),
    "SHOW": (settings.parameter, _always(_SHOW_NOTHING, Answer(["created_on", "name"], []))),
    "START": (_always(_BEGIN, Begin()),),
    "UNSET": (settings.variable,),
    "USE": (settings.use, _accepted),
}


def recognise(statement: str) -> Command | None:
    """The command that a statement is, or None for one that DuckDB runs.

    Raises:
        snowflake.connector.errors.ProgrammingError: a form or option that is not known here; several statements.
    """
    first = _FIRST.match(statement)
    for reader in _READERS.get(first[1].upper(), ()) if first else ():
        command = reader(statement)
        if command is not None:
            refuse_several(statement)
            return command
    return None
