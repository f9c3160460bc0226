"""COPY INTO a table from Parquet files on an internal stage: atomic, explicit, and strict about what it knows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from fakesnow import copy_into as upstream
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.load import listing, parquet
from snowflake_local.sql import bulk
from snowflake_local.store import LOADED_FILES

MAX_FILES: Final = 1000
_KNOWN: Final = frozenset(("FILES", "FILE_FORMAT", "FORCE", "MATCH_BY_COLUMN_NAME", "ON_ERROR", "PURGE"))
_COLUMNS: Final = (
    "file",
    "status",
    "rows_parsed",
    "rows_loaded",
    "error_limit",
    "errors_seen",
    "first_error",
    "first_error_line",
    "first_error_character",
    "first_error_column_name",
)


class _Options:
    """The statement's options, checked: an option that would be ignored is refused."""

    def __init__(self, copy: exp.Copy) -> None:
        given = {item.this.name.upper(): item for item in copy.args.get("params") or []}
        unknown = sorted(given.keys() - _KNOWN)
        if unknown:
            raise errors.unsupported(f"COPY option {unknown[0]}")
        text = {name: _text(item) for name, item in given.items()}
        self.files = _files(copy, given)
        if self.files is not None and len(self.files) > MAX_FILES:
            raise errors.compilation(f"The FILES list may name at most {MAX_FILES} files.")
        file_format = given["FILE_FORMAT"].sql("snowflake").upper().replace(" ", "") if "FILE_FORMAT" in given else ""
        if "PARQUET" not in file_format:
            raise errors.unsupported("COPY of anything but Parquet, or with a named file format")
        if "USE_LOGICAL_TYPE=TRUE" not in file_format:
            raise errors.compilation(
                "Write USE_LOGICAL_TYPE = TRUE: Snowflake's default reads Parquet timestamps as integers."
            )
        if text.get("MATCH_BY_COLUMN_NAME", "NONE") != "CASE_INSENSITIVE":
            raise errors.unsupported("COPY of Parquet without MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE")
        if text.get("ON_ERROR", "ABORT_STATEMENT") != "ABORT_STATEMENT":
            raise errors.unsupported("ON_ERROR other than ABORT_STATEMENT (Parquet files load whole or not at all)")
        self.force = text.get("FORCE") == "TRUE"
        self.purge = text.get("PURGE") == "TRUE"


def _files(copy: exp.Copy, given: dict[str, Any]) -> Sequence[str] | None:
    if "FILES" not in given:
        return None
    return copy.args.get(bulk.FILES) or [node.name for node in given["FILES"].find_all(exp.Literal)]


def _text(item: exp.Expr) -> str:
    value = item.args.get("expression")
    if isinstance(value, exp.Boolean):
        return str(value.this).upper()
    return (value.name or value.sql()).upper() if value is not None else "TRUE"


def copy_into(duck: Any, database: str, schema: str, copy: exp.Copy, table_stages: Any, _params: Any = None) -> str:
    """Load the files; gives the SQL of the result, one row a file, as Snowflake shows it.

    Takes the place of `fakesnow.copy_into.copy_into`. Runs in the transaction that is open; the cursor opens one.

    Raises:
        snowflake.connector.errors.ProgrammingError: an option is unknown, a named file is missing, or a value does
            not fit its column (with the file's name); nothing is loaded then.
    """
    if not isinstance(copy.this, exp.Table) or isinstance(copy.this.this, exp.Var):
        raise errors.unsupported("COPY INTO a location, or into a list of columns")
    options = _Options(copy)
    table = upstream._extract_table(copy.this)
    database, schema = table.catalog or database, table.db or schema
    source = copy.args["files"][0]
    reference = source.this.name if isinstance(source.this, (exp.Literal, exp.Var)) else str(source.this)
    namespace: Any = type("Namespace", (), {"database": database, "_schema": schema, "table_stages": table_stages})
    root, path = listing.resolve(namespace, duck, reference, table)
    target = parquet.Target(database, schema, table.name)
    staged = _chosen(root, path, options.files)
    keys = {item.name: item.content_key for item in staged}
    if not options.force:
        known = _loaded_before(duck, target, list(keys))
        staged = [item for item in staged if (item.name, keys[item.name]) not in known]
    rows = parquet.insert(duck, target, staged)
    _remember(duck, target, {item.name: keys[item.name] for item in staged})
    if options.purge:
        for item in staged:
            item.path.unlink(missing_ok=True)
    sql = _result(rows)
    duck.execute(sql)
    return sql


def _chosen(root: Any, path: str, names: Sequence[str] | None) -> list[listing.StagedFile]:
    if names is None:
        return listing.files(root, path)
    folder = root / path
    missing = [name for name in names if ".." in name.split("/") or not (folder / name.lstrip("/")).is_file()]
    if missing:
        text = f"Remote file '{path.rstrip('/')}/{missing[0]}' was not found."
        raise ProgrammingError(msg=text, errno=91016, sqlstate="22000")
    return [listing.staged(root, folder / name.lstrip("/")) for name in dict.fromkeys(names)]


def _loaded_before(duck: Any, target: parquet.Target, names: list[str]) -> set[tuple[str, str]]:
    """Names and contents of those files that the table has, among these."""
    where = "schema_name = ? and table_name = ? and file in (select unnest(?::varchar[]))"
    sql = f'select file, content_key from "{target.database}".{LOADED_FILES} where {where}'
    return set(duck.execute(sql, [target.schema, target.table, names]).fetchall())


def _remember(duck: Any, target: parquet.Target, keys: dict[str, str]) -> None:
    if keys:
        values = [target.schema, target.table, list(keys), list(keys.values()), datetime.now(UTC)]
        source = "select ?, ?, unnest(?::varchar[]), unnest(?::varchar[]), ?"
        duck.execute(f'insert into "{target.database}".{LOADED_FILES} {source}', values)


def _result(rows: dict[str, int]) -> str:
    if not rows:
        return "SELECT 'Copy executed with 0 files processed.' AS status"
    names = ", ".join(exp.Literal.string(name).sql("duckdb") for name in rows)
    counts = ", ".join(map(str, rows.values()))
    values = [
        f"unnest([{names}])",
        "'LOADED'",
        f"unnest([{counts}]::bigint[])",
        f"unnest([{counts}]::bigint[])",
        "1",
        "0",
        "null::varchar",
        "null::bigint",
        "null::bigint",
        "null::varchar",
    ]
    return "SELECT " + ", ".join(f"{value} AS {name}" for value, name in zip(values, _COLUMNS, strict=True))
