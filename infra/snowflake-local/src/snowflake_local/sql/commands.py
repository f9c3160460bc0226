"""Statements that are answered without DuckDB: accepted and ignored, refused, or answered from what is on disk."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NO_OPERATION: Final[tuple[str, ...]] = (
    r"\s*(CREATE|ALTER|DROP)\s+(OR\s+REPLACE\s+)?"
    r"(WAREHOUSE|ROLE|USER|RESOURCE\s+MONITOR|NETWORK\s+POLICY|MASKING\s+POLICY|ROW\s+ACCESS\s+POLICY)\b",
    r"\s*(GRANT|REVOKE)\b",
    r"\s*USE\s+SECONDARY\s+ROLES?\b",
    r"\s*ALTER\s+(DATABASE|SCHEMA|STAGE)\b",
    r"\s*ALTER\s+(TABLE|VIEW)\s+\S+\s+(ALTER|MODIFY)\s+(COLUMN\s+)?\S+\s+COMMENT\b",
)
"""Accepted, and without effect here: who may do what, and how large a warehouse is."""

_REFUSED: Final = re.compile(
    r"\s*(?:CREATE|ALTER)\s+(?:OR\s+REPLACE\s+)?(?:TRANSIENT\s+)?(DYNAMIC\s+TABLE|STREAM|TASK|PIPE|EXTERNAL\s+TABLE)\b",
    re.IGNORECASE,
)
_LEADING_COMMENT: Final = re.compile(r"^\s*(/\*.*?\*/\s*|--[^\n]*(?:\n|$)\s*)+", re.DOTALL)
_TRAILING_COMMENT: Final = re.compile(r"\s*(/\*(?:(?!\*/).)*\*/\s*)+;?\s*$", re.DOTALL)
_LIST: Final = re.compile(
    r"\s*(LIST|LS|REMOVE|RM)\s+'?(@[^\s;']+)'?(?:\s+PATTERN\s*=\s*'([^']*)')?\s*;?\s*$", re.IGNORECASE
)
_PUT: Final = re.compile(
    r"\s*PUT\s+(?:'(file://[^'\\]+)'|(file://[^\s';]+))\s+('?)(@[\w.\"$][^\s';?]*)\3"
    r"((?:\s+(?:AUTO_COMPRESS|OVERWRITE|PARALLEL|SOURCE_COMPRESSION)\s*=\s*\w+)*)\s*;?\s*$",
    re.IGNORECASE,
)
_DROP_STAGE: Final = re.compile(r"\s*DROP\s+STAGE\s+(IF\s+EXISTS\s+)?([\w.\"$]+)\s*;?\s*$", re.IGNORECASE)
_USE: Final = re.compile(r"\s*USE\s+(ROLE|WAREHOUSE)\s+([\w.\"$]+)\s*;?\s*$", re.IGNORECASE)
_START: Final = re.compile(r"\s*START\s+TRANSACTION\b", re.IGNORECASE)
_SESSION: Final = re.compile(r"\s*ALTER\s+SESSION\s+(SET|UNSET)\s+(.*?)\s*;?\s*$", re.IGNORECASE | re.DOTALL)
_PARAMETER: Final = re.compile(r"(\w+)\s*=\s*('(?:[^'\\]|''|\\.)*'|[\w.+-]+)\s*(?:,\s*)?")
_SWAP: Final = re.compile(r"\s*ALTER\s+TABLE\s+([\w.\"$]+)\s+SWAP\s+WITH\s+([\w.\"$]+)\s*;?\s*$", re.IGNORECASE)
_COMMENT: Final = re.compile(
    r"\s*COMMENT\s+(IF\s+EXISTS\s+)?ON\s+(COLUMN|SCHEMA|DATABASE|STAGE|WAREHOUSE|VIEW)\b", re.IGNORECASE
)
_SHOW_PARAMETERS: Final = re.compile(r"\s*SHOW\s+PARAMETERS\s+LIKE\s+'(\w+)'", re.IGNORECASE)
_SHOW_NOTHING: Final = re.compile(
    r"\s*SHOW\s+(TERSE\s+)?(ROLES|GRANTS|STREAMS|TASKS|PIPES|DYNAMIC\s+TABLES|INTEGRATIONS)\b", re.IGNORECASE
)
_SYSTEM: Final = re.compile(
    r"\s*SELECT\s+(SYSTEM\$(CANCEL_ALL_QUERIES|ABORT_SESSION|WAIT)\s*\(\s*('?)(\d+|\?)\3\s*\))(?:\s+(?:AS\s+)?(\w+))?\s*;?\s*$",
    re.IGNORECASE,
)
_DONE: Final = "Statement executed successfully."


@dataclass(frozen=True, slots=True)
class Answer:
    """A result that is known already: column names and rows of text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class StageCommand:
    """LIST or REMOVE on a stage path, with a regular expression on the whole name."""

    remove: bool
    reference: str
    pattern: str | None


@dataclass(frozen=True, slots=True)
class PutFiles:
    """PUT of local files on a named stage, with its options by upper-case name."""

    source: str
    reference: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class DropStage:
    """DROP STAGE."""

    name: str
    if_exists: bool


@dataclass(frozen=True, slots=True)
class UseContext:
    """USE ROLE or USE WAREHOUSE."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class SetParameters:
    """ALTER SESSION SET or UNSET: values by upper-case name, None for a parameter that is unset."""

    values: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class ShowParameter:
    """SHOW PARAMETERS LIKE, of one name."""

    name: str


@dataclass(frozen=True, slots=True)
class SystemCall:
    """SELECT of one of Snowflake's control functions: its name without SYSTEM$, and its argument; None: bound."""

    name: str
    argument: int | None
    column: str


@dataclass(frozen=True, slots=True)
class SwapTables:
    """ALTER TABLE … SWAP WITH …, both names as they were written."""

    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A feature that must not seem to work."""

    feature: str


@dataclass(frozen=True, slots=True)
class Begin:
    """START TRANSACTION, which the parser does not know."""


Command = (
    Answer
    | StageCommand
    | PutFiles
    | DropStage
    | UseContext
    | SetParameters
    | ShowParameter
    | SystemCall
    | SwapTables
    | Refused
    | Begin
)


def without_comments(statement: str) -> str:
    """A statement without the comments before and after it (dbt puts its query comment at either end)."""
    return _TRAILING_COMMENT.sub("", _LEADING_COMMENT.sub("", statement))


def is_put(statement: str) -> bool:
    """PUT of local files on a named stage: clients send it once for each file."""
    return _PUT.match(statement) is not None


def recognise(statement: str) -> Command | None:
    """The command that a bare statement is, or None for one that DuckDB runs."""
    if match := _PUT.match(statement):
        options = {name.upper(): value for name, value in re.findall(r"(\w+)\s*=\s*(\w+)", match[5])}
        return PutFiles(match[1] or match[2], match[4], options)
    if match := _LIST.match(statement):
        return StageCommand(match[1].upper() in ("REMOVE", "RM"), match[2], match[3])
    if match := _DROP_STAGE.match(statement):
        return DropStage(match[2], bool(match[1]))
    if match := _USE.match(statement):
        return UseContext(match[1].upper(), match[2].strip('"').upper())
    if match := _SESSION.match(statement):
        return _parameters(match[1].upper() == "SET", match[2])
    if match := _SYSTEM.match(statement):
        argument = None if match[4] == "?" else int(match[4])
        return SystemCall(match[2].upper(), argument, (match[5] or match[1]).upper())
    if match := _SWAP.match(statement):
        return SwapTables(match[1], match[2])
    if match := _REFUSED.match(statement):
        return Refused(" ".join(match[1].upper().split()))
    if _START.match(statement):
        return Begin()
    if _COMMENT.match(statement):
        return Answer(["status"], [[_DONE]])
    if match := _SHOW_PARAMETERS.match(statement):
        return ShowParameter(match[1].upper())
    if _SHOW_NOTHING.match(statement):
        return Answer(["created_on", "name"], [])
    return None


def _parameters(is_set: bool, text: str) -> SetParameters | None:
    if not is_set:
        return SetParameters(dict.fromkeys(re.findall(r"\w+", text.upper())))
    values: dict[str, str | None] = {}
    position = 0
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            return None
        values[match[1].upper()] = match[2].strip("'").replace("''", "'")
        position = match.end()
    return None if "AUTOCOMMIT" in values else SetParameters(values)
