"""PUT: where its files go. Clients send it once more for each file, so it asks the catalogue once for all of them."""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from snowflake_local import errors
from snowflake_local.recognise.commands import PutFiles
from snowflake_local.sessions.session import Session
from snowflake_local.storage.stages import StagePath


@dataclass(frozen=True, slots=True)
class Upload:
    """What a client has to know to upload.

    Attributes:
        put: the statement.
        local: the client's file or files, by their path or a pattern.
        to: where they go.
        is_bound: the stage was a bound value, which the client does not send with the repeats for its files.
    """

    put: PutFiles
    local: str
    to: StagePath
    is_bound: bool


def target(session: Session, put: PutFiles, binds: Any) -> Upload:
    """Where a PUT's files go.

    Raises:
        snowflake.connector.errors.ProgrammingError: no such stage, or not an internal one; the file is there, and
            OVERWRITE is not TRUE.
    """
    if session.transaction.failed:
        raise errors.aborted()
    source = urlparse(put.source)
    local = url2pathname(source.path)
    if source.netloc and source.netloc.lower() != "localhost":  # the client asks again with a file's bare name
        local = source.netloc + local
    is_bound = put.reference == "?"
    to = _place(session, put, _bound(binds) if is_bound else put.reference, local, bool(source.netloc))
    return Upload(put, local, to, is_bound)


def _place(session: Session, put: PutFiles, reference: str, local: str, is_bare: bool) -> StagePath:
    """The repeats for a statement's files go where the statement went: it has been looked at."""
    key = (reference, session.namespace)
    if is_bare and session.uploading is not None and session.uploading[0] == key:
        return session.uploading[1]
    to = session.warehouse.stages.find(session.duck, session.namespace, reference)
    if not put.overwrite:
        _refuse_to_replace(to, Path(local).name)
    session.uploading = (key, to)
    return to


def _refuse_to_replace(to: StagePath, pattern: str) -> None:
    """An account skips a file that is there; its clients ask a store for that which ours does not have."""
    names = [file.name for file in to.file("").glob("*")]
    there = [name for name in names if fnmatch(name, pattern) or fnmatch(name, f"{pattern}.gz")]
    if there:
        raise errors.unsupported(f"PUT of '{there[0]}', which is on the stage, without OVERWRITE = TRUE")


def _bound(binds: Any) -> str:
    values = list(binds.values() if isinstance(binds, dict) else binds or ())
    if len(values) != 1:
        raise errors.compilation("PUT takes one bound value: the stage.")
    return str(values[0])
