"""COPY INTO a table from Parquet files on an internal stage: atomic, explicit, and strict about what it knows."""

from datetime import UTC, datetime
from typing import Any, Final

import duckdb
from fakesnow import copy_into as upstream
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.load import listing
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
        self.files = [node.name for node in given["FILES"].find_all(exp.Literal)] if "FILES" in given else None
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
    place = type("Place", (), {"database": database, "_schema": schema, "table_stages": table_stages})
    root, path = listing.resolve(place, duck, reference, table)
    found = _chosen(root, path, options.files)
    target = (database, schema, table.name)
    loaded = [row for item in found if (row := _load(duck, target, item, force=options.force))]
    if options.purge:
        for item in found:
            item.path.unlink(missing_ok=True)
    sql = _result(loaded)
    duck.execute(sql)
    return sql


def _chosen(root: Any, path: str, names: list[str] | None) -> list[listing.StagedFile]:
    if names is None:
        return listing.files(root, path)
    folder = root / path
    missing = [name for name in names if ".." in name.split("/") or not (folder / name.lstrip("/")).is_file()]
    if missing:
        text = f"Remote file '{path.rstrip('/')}/{missing[0]}' was not found."
        raise ProgrammingError(msg=text, errno=91016, sqlstate="22000")
    return [listing.staged(root, folder / name.lstrip("/")) for name in dict.fromkeys(names)]


def _load(duck: Any, place: tuple[str, str, str], item: listing.StagedFile, *, force: bool) -> tuple[Any, ...] | None:
    database, schema, table = place
    key = item.content_key
    ledger = f'"{database}".{LOADED_FILES}'
    where = "schema_name = ? and table_name = ? and file = ? and content_key = ?"
    known = [schema, table, item.name, key]
    if not force and duck.execute(f"select 1 from {ledger} where {where}", known).fetchone():
        return None
    target = f'"{database}"."{schema}"."{table}"'
    reader = f"read_parquet({exp.Literal.string(str(item.path)).sql('duckdb')})"
    sent = {name.upper(): name for (name, *_) in duck.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()}
    columns = [name for (name, *_) in duck.execute(f"DESCRIBE {target}").fetchall()]
    matched = [(column, sent[column.upper()]) for column in columns if column.upper() in sent]
    if not matched:
        raise errors.compilation(f"No column of file '{item.name}' matches a column of {table}.")
    into = ", ".join(f'"{column}"' for column, _ in matched)
    values = ", ".join(f'"{name}"' for _, name in matched)
    try:
        duck.execute(f"insert into {target} ({into}) select {values} from {reader}")
        rows = duck.fetchall()[0][0]
    except (duckdb.ConversionException, duckdb.ConstraintException, duckdb.OutOfRangeException) as error:
        text = f"{str(error).splitlines()[0]}\n  File '{item.name}'"
        null = isinstance(error, duckdb.ConstraintException)
        raise ProgrammingError(
            msg=f"NULL result in a non-nullable column: {text}" if null else text,
            errno=100072 if null else 100038,
            sqlstate="22000" if null else "22018",
        ) from None
    duck.execute(f"insert into {ledger} values (?, ?, ?, ?, ?)", [*known, datetime.now(UTC)])
    return (item.name, "LOADED", rows, rows, 1, 0, None, None, None, None)


def _result(loaded: list[tuple[Any, ...]]) -> str:
    if not loaded:
        return "SELECT 'Copy executed with 0 files processed.' AS status"
    return exp.select("*").from_(exp.values(loaded, alias="loaded", columns=list(_COLUMNS))).sql("duckdb")
