"""PUT: where its files go. Clients send it once more for each file, so it does without the parser and the rewrites."""

from typing import Any, Final
from urllib.parse import urlparse
from urllib.request import url2pathname

from fakesnow.transforms import stage
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.load import listing
from snowflake_local.session import Session
from snowflake_local.sql.commands import PutFiles

_PARALLEL: Final = 4
_COMPRESSIONS: Final = ("AUTO_DETECT", "GZIP", "BZ2", "BROTLI", "ZSTD", "DEFLATE", "RAW_DEFLATE", "NONE")
"""https://docs.snowflake.com/en/sql-reference/sql/put"""


def run(session: Session, duck: Any, put: PutFiles) -> exp.Expr:
    """The statement as upstream leaves it for the answer: with what the client has to know of the upload.

    Raises:
        snowflake.connector.errors.ProgrammingError: no such stage, or not an internal one; an option's value.
    """
    if session.transaction.failed:
        raise errors.aborted()
    source = urlparse(put.source)
    place = (put.reference, session.database, session._schema)
    # The repeats for its files, by their bare names, go where the statement went: the catalogue was asked once.
    if not source.netloc or source.path or session.uploading is None or session.uploading[0] != place:
        _root, path = listing.resolve(session, duck, put.reference)
        name = ".".join(stage.parts_from_var(put.reference[1:].partition("/")[0], session.database, session._schema))
        session.uploading = (place, name, stage.internal_dir(name, path))
    _place, name, location = session.uploading
    local = url2pathname(source.path)
    if source.netloc and source.netloc.lower() != "localhost":  # the client asks again with a file's bare name
        local = source.netloc + local
    data = {
        "stageInfo": {"locationType": "LOCAL_FS", "location": location, "creds": {}},
        "src_locations": [local],
        "parallel": int(put.options.get("PARALLEL", _PARALLEL)),
        "autoCompress": _boolean(put.options, "AUTO_COMPRESS", default=True),
        "sourceCompression": _compression(put.options),
        "overwrite": _boolean(put.options, "OVERWRITE", default=False),
        "command": "UPLOAD",
    }
    answer = exp.Command(this="PUT")
    answer.args |= {"put_stage_name": name, "put_stage_data": data}
    return answer


def _compression(options: dict[str, str]) -> str:
    value = options.get("SOURCE_COMPRESSION", "AUTO_DETECT").upper()
    if value not in _COMPRESSIONS:
        raise errors.compilation(
            "Invalid value specified for property 'SOURCE_COMPRESSION'", errno=1481, sqlstate="42601"
        )
    return value.lower()


def _boolean(options: dict[str, str], name: str, *, default: bool) -> bool:
    value = options.get(name, str(default)).upper()
    if value not in ("TRUE", "FALSE"):
        raise errors.compilation(f"Invalid value specified for property '{name}'", errno=1481, sqlstate="42601")
    return value == "TRUE"
