"""Internal stages: their entries in the catalogue, and their files, which lie in a folder each."""

import hashlib
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from snowflake_local import errors
from snowflake_local.parse.names import NAME, Namespace, ObjectName, parts

_CATALOGUE: Final = "_fs_global._fs_information_schema._fs_stages"
_WHERE: Final = "where database_name = ? and schema_name = ? and name = ?"
_REFERENCE: Final = re.compile(rf"@({NAME})(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A staged file: the name that Snowflake shows, and its path on disk."""

    name: str
    path: Path

    @property
    def content_key(self) -> str:
        """The MD5 of its content, as Snowflake's ETag."""
        return hashlib.md5(self.path.read_bytes(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class StagePath:
    """A stage and a path below it: `@stage/path`."""

    stage: ObjectName
    folder: Path
    path: str

    def files(self) -> list[StagedFile]:
        """Every file whose path starts with this one, as Snowflake matches: a plain prefix."""
        prefix = str(self.folder / self.path) + ("/" if self.path.endswith("/") else "")
        paths = sorted(file for file in self.folder.rglob("*") if file.is_file() and str(file).startswith(prefix))
        return [self._staged(file) for file in paths]

    def named(self, names: Sequence[str]) -> list[StagedFile]:
        """The files of these names below the path.

        Raises:
            snowflake.connector.errors.ProgrammingError: one of them is not there.
        """
        below = self.folder / self.path
        for name in names:
            if ".." in name.split("/") or not (below / name.lstrip("/")).is_file():
                raise errors.missing_file(f"{self.path.rstrip('/')}/{name}")
        return [self._staged(below / name.lstrip("/")) for name in dict.fromkeys(names)]

    def file(self, name: str) -> Path:
        """Where a file of this name lies, or would."""
        return self.folder / self.path / name

    def _staged(self, file: Path) -> StagedFile:
        return StagedFile(f"{self.stage.name.lower()}/{file.relative_to(self.folder).as_posix()}", file)


@dataclass(frozen=True, slots=True)
class Stages:
    """All of them, below a folder."""

    root: Path

    def find(self, duck: duckdb.DuckDBPyConnection, namespace: Namespace, reference: str) -> StagePath:
        """`@stage/path`, in a session's namespace.

        Raises:
            snowflake.connector.errors.ProgrammingError: no such stage, or not an internal one of a name.
        """
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise errors.unsupported(f"the stage {reference.partition('/')[0]} (stages with a name only)")
        stage, path = namespace.whole(parts(match[1])), (match[2] or "").lstrip("/")
        if ".." in path.split("/"):
            raise errors.compilation(f"Invalid stage path '{path}'.")
        url = duck.execute(f"select url from {_CATALOGUE} {_WHERE}", [stage.database, stage.schema, stage.name])
        found = url.fetchone()
        if found is None:
            raise errors.missing_stage(str(stage))
        if found[0]:
            raise errors.unsupported("external stages")
        return StagePath(stage, self._folder(stage), path)

    def create(
        self, duck: duckdb.DuckDBPyConnection, stage: ObjectName, comment: str, *, replace: bool, if_not_exists: bool
    ) -> str:
        """Make a stage, with `replace` an empty one in the place of one that is there; gives what the client is told.

        Raises:
            snowflake.connector.errors.ProgrammingError: it is there.
        """
        key, folder = [stage.database, stage.schema, stage.name], self._folder(stage)
        with closing(duck.cursor()) as catalogue:
            is_there = catalogue.execute(f"select 1 from {_CATALOGUE} {_WHERE}", key).fetchone() is not None
            if is_there and if_not_exists:
                return f"{stage.name} already exists, statement succeeded."
            if is_there and not replace:
                raise errors.compilation(f"Object '{stage.name}' already exists.", errno=2002, sqlstate="42710")
            if is_there:
                catalogue.execute(f"delete from {_CATALOGUE} {_WHERE}", key)
            columns = "created_on, database_name, schema_name, name, url, comment, type, owner, owner_role_type"
            more = "has_credentials, has_encryption_key, directory_enabled"
            rest = ["", comment, "INTERNAL", "SYSADMIN", "ROLE", "N", "N", "N"]
            places = ", ".join("?" * (1 + len(key) + len(rest)))
            catalogue.execute(
                f"insert into {_CATALOGUE} ({columns}, {more}) values ({places})", [datetime.now(UTC), *key, *rest]
            )
        _remove_files(folder)
        return f"Stage area {stage.name} successfully created."

    def drop(self, duck: duckdb.DuckDBPyConnection, stage: ObjectName, *, if_exists: bool) -> str:
        """Drop its entry and its files; gives what the client is told.

        Raises:
            snowflake.connector.errors.ProgrammingError: it is not there.
        """
        key = [stage.database, stage.schema, stage.name]
        with closing(duck.cursor()) as catalogue:
            is_there = catalogue.execute(f"select 1 from {_CATALOGUE} {_WHERE}", key).fetchone() is not None
            if not is_there and not if_exists:
                raise errors.missing_object(str(stage))
            catalogue.execute(f"delete from {_CATALOGUE} {_WHERE}", key)
        _remove_files(self._folder(stage))
        return f"{stage.name} successfully dropped."

    def _folder(self, stage: ObjectName) -> Path:
        names = (stage.database, stage.schema, stage.name)
        if any(name in (".", "..") or "/" in name for name in names):
            raise errors.unsupported(f"a stage named '{stage}'")
        return self.root.joinpath(*names)


def _remove_files(folder: Path) -> None:
    for file in folder.rglob("*") if folder.is_dir() else ():
        if file.is_file():
            file.unlink(missing_ok=True)
