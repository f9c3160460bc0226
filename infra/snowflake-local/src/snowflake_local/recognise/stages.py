"""LIST, REMOVE, CREATE STAGE and DROP STAGE."""

import re
from typing import Final

from snowflake_local import errors
from snowflake_local.parse import options
from snowflake_local.parse.names import NAME, parts
from snowflake_local.recognise.commands import CreateStage, DropStage, StageFiles

_FILES: Final = re.compile(
    r"\s*(LIST|LS|REMOVE|RM)\s+(?:'(@[^']+)'|(@[^\s;']+))(?:\s+PATTERN\s*=\s*'([^']*)')?\s*;?\s*$", re.IGNORECASE
)
_CREATE: Final = re.compile(
    rf"\s*CREATE\s+(OR\s+REPLACE\s+)?(TEMP(?:ORARY)?\s+)?STAGE\s+(IF\s+NOT\s+EXISTS\s+)?({NAME})(?=[\s;]|$)(.*?);?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_DROP: Final = re.compile(rf"\s*DROP\s+STAGE\s+(IF\s+EXISTS\s+)?({NAME})\s*;?\s*$", re.IGNORECASE)


def files(statement: str) -> StageFiles:
    """LIST or REMOVE.

    Raises:
        snowflake.connector.errors.ProgrammingError: it reads otherwise.
    """
    match = _FILES.match(statement)
    if match is None:
        raise errors.compilation("syntax error: write LIST or REMOVE @<stage>/<path>, with PATTERN = '…' or without")
    return StageFiles(match[1].upper() in ("REMOVE", "RM"), match[2] or match[3], match[4])


def create(statement: str) -> CreateStage | None:
    """CREATE STAGE, or None for another CREATE.

    Raises:
        snowflake.connector.errors.ProgrammingError: an option that would be ignored.
    """
    match = _CREATE.match(statement)
    if match is None:
        return None
    if match[2]:
        raise errors.unsupported("temporary stages")
    given = options.read(match[5])
    options.only("CREATE STAGE", given, ("COMMENT",))
    comment = given.get("COMMENT", "")
    if not isinstance(comment, str):
        raise errors.invalid_property("COMMENT")
    return CreateStage(parts(match[4]), bool(match[1]), bool(match[3]), comment)


def drop(statement: str) -> DropStage | None:
    """DROP STAGE, or None for another DROP."""
    match = _DROP.match(statement)
    return DropStage(parts(match[2]), bool(match[1])) if match else None
