"""The statements that are known by their words, each with what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from fakesnow import statement_type

SUCCESS: Final = "Statement executed successfully."


@dataclass(frozen=True, slots=True)
class Answer:
    """A result that is known already: column names and rows of text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    type_id: ClassVar[int] = statement_type.UNKNOWN


DONE: Final = Answer(["status"], [[SUCCESS]])


@dataclass(frozen=True, slots=True)
class Accepted:
    """A statement that has no effect here: who may do what, and how large a warehouse is."""

    type_id: ClassVar[int] = statement_type.DDL


@dataclass(frozen=True, slots=True)
class StageFiles:
    """LIST or REMOVE on a stage path, with a regular expression on the whole name."""

    remove: bool
    reference: str
    pattern: str | None
    type_id: ClassVar[int] = statement_type.UNKNOWN


@dataclass(frozen=True, slots=True)
class PutFiles:
    """PUT of local files on a named stage; `reference` is "?" when it is bound."""

    source: str
    reference: str
    overwrite: bool
    auto_compress: bool
    source_compression: str
    parallel: int
    type_id: ClassVar[int] = statement_type.UNKNOWN


@dataclass(frozen=True, slots=True)
class CopyFiles:
    """COPY INTO a table, from these files below the stage's path, or from all below it; `force`: loaded ones too."""

    table: tuple[str, ...]
    reference: str
    files: tuple[str, ...] | None
    force: bool
    type_id: ClassVar[int] = statement_type.COPY


@dataclass(frozen=True, slots=True)
class CreateStage:
    """CREATE STAGE, an internal one."""

    name: tuple[str, ...]
    replace: bool
    if_not_exists: bool
    comment: str
    type_id: ClassVar[int] = statement_type.DDL


@dataclass(frozen=True, slots=True)
class DropStage:
    """DROP STAGE."""

    name: tuple[str, ...]
    if_exists: bool
    type_id: ClassVar[int] = statement_type.DDL


@dataclass(frozen=True, slots=True)
class UseContext:
    """USE ROLE or USE WAREHOUSE."""

    kind: str
    name: str
    type_id: ClassVar[int] = statement_type.USE


@dataclass(frozen=True, slots=True)
class SetParameters:
    """ALTER SESSION SET or UNSET: values by upper-case name, None for a parameter that is unset."""

    values: dict[str, str | None]
    type_id: ClassVar[int] = statement_type.DDL


@dataclass(frozen=True, slots=True)
class ShowParameter:
    """SHOW PARAMETERS LIKE, of one name."""

    name: str
    type_id: ClassVar[int] = statement_type.SHOW


@dataclass(frozen=True, slots=True)
class SetVariable:
    """SET of a session's variable to a literal as it was written, or UNSET: None."""

    name: str
    literal: str | None
    type_id: ClassVar[int] = statement_type.UNKNOWN


@dataclass(frozen=True, slots=True)
class SystemCall:
    """SELECT of one of Snowflake's control functions: its name without SYSTEM$, and its argument; None: bound."""

    name: str
    argument: int | None
    column: str
    type_id: ClassVar[int] = statement_type.SELECT


@dataclass(frozen=True, slots=True)
class SwapTables:
    """ALTER TABLE … SWAP WITH …."""

    one: tuple[str, ...]
    other: tuple[str, ...]
    type_id: ClassVar[int] = statement_type.DDL


@dataclass(frozen=True, slots=True)
class Refused:
    """A feature that must not seem to work."""

    feature: str
    type_id: ClassVar[int] = statement_type.UNKNOWN


@dataclass(frozen=True, slots=True)
class Begin:
    """BEGIN or START TRANSACTION."""

    type_id: ClassVar[int] = statement_type.TCL


@dataclass(frozen=True, slots=True)
class Commit:
    """COMMIT."""

    type_id: ClassVar[int] = statement_type.TCL


@dataclass(frozen=True, slots=True)
class RollBack:
    """ROLLBACK."""

    type_id: ClassVar[int] = statement_type.TCL


Command = (
    Answer
    | Accepted
    | StageFiles
    | PutFiles
    | CopyFiles
    | CreateStage
    | DropStage
    | UseContext
    | SetParameters
    | ShowParameter
    | SetVariable
    | SystemCall
    | SwapTables
    | Refused
    | Begin
    | Commit
    | RollBack
)
