"""Files of an internal stage: named, listed, removed."""

import hashlib
import os
import re
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakesnow import copy_into
from fakesnow.transforms import stage
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.sql.commands import Answer, DropStage, StageCommand


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A staged file: the name that Snowflake shows, its path on disk, and its path relative to the stage."""

    name: str
    path: Path
    relative: str

    @property
    def content_key(self) -> str:
        """The MD5 of its content, as Snowflake's ETag."""
        return hashlib.md5(self.path.read_bytes(), usedforsecurity=False).hexdigest()


def resolve(session: Any, duck: Any, reference: str, target: exp.Table | None = None) -> tuple[Path, str]:
    """`@stage/path` -> (the stage's folder, the path below it).

    Raises:
        snowflake.connector.errors.ProgrammingError: no such stage, or not an internal one.
    """
    name, _, path = reference.strip("'").removeprefix("@").partition("/")
    url = copy_into.stage_url_from_var(
        name, duck, session.database, session._schema, session.table_stages, target or exp.to_table("x")
    )
    if not reference.strip("'").startswith("@") or url.startswith(("s3://", "gcs://", "azure://")):
        raise errors.unsupported("external stages")
    if ".." in path.split("/"):
        raise errors.compilation(f"Invalid stage path '{path}'.")
    return Path(url.removeprefix("file://")), path


def files(root: Path, path: str) -> list[StagedFile]:
    """Every file whose path starts with `path`, as Snowflake matches: a plain prefix."""
    prefix = str(root / path) + ("/" if path.endswith("/") else "")
    paths = sorted(file for file in root.rglob("*") if file.is_file() and str(file).startswith(prefix))
    return [staged(root, file) for file in paths]


def staged(root: Path, file: Path) -> StagedFile:
    """Describe a file of a stage."""
    return StagedFile(stage.internal_file_name(str(file)), file, os.path.relpath(file, root))


def run(session: Any, duck: Any, command: StageCommand) -> Answer:
    """LIST or REMOVE."""
    root, path = resolve(session, duck, command.reference)
    matching = [item for item in files(root, path) if not command.pattern or re.fullmatch(command.pattern, item.name)]
    if command.remove:
        for item in matching:
            item.path.unlink(missing_ok=True)
        return Answer(["name", "result"], [[item.name, "removed"] for item in matching])
    return Answer(["name", "size", "md5", "last_modified"], [_listed(item) for item in matching])


def _listed(item: StagedFile) -> list[object]:
    status = item.path.stat()
    modified = datetime.fromtimestamp(status.st_mtime, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return [item.name, status.st_size, item.content_key, modified]


def drop(session: Any, duck: Any, command: DropStage) -> Answer:
    """DROP STAGE: its entry and its files."""
    database, schema, name = stage.parts_from_var(command.name, session.database, session._schema)
    root = Path(stage.LOCAL_BUCKET_PATH) / database / schema / name
    with closing(duck.cursor()) as metadata:
        where = "where database_name = ? and schema_name = ? and name = ?"
        table = "_fs_global._fs_information_schema._fs_stages"
        known = metadata.execute(f"select 1 from {table} {where}", [database, schema, name]).fetchone()
        if known is None and not command.if_exists:
            raise errors.missing_object(f"{database}.{schema}.{name}")
        metadata.execute(f"delete from {table} {where}", [database, schema, name])
    for item in files(root, "") if root.is_dir() else []:
        item.path.unlink(missing_ok=True)
    return Answer(["status"], [[f"{name} successfully dropped."]])
