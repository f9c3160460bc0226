"""Snowflake statements: the SQL files, and the few whose identifiers vary, from the closed set of bank_common.names."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

from bank_common.names import RAW_SCHEMA, RAW_TABLE_BY_TOPIC, SOURCE_TRANSACTIONS, STAGE, TABLES
from bank_dags.loading.ports import FILES_PER_COPY
from bank_dags.loading.segments import Landed

STAGE_NAME: Final = f"@{RAW_SCHEMA}.{STAGE}"


@cache
def sql(name: str) -> str:
    """The text of `sql/<name>.sql` without its comments (the connector would send them along)."""
    text = resources.files("bank_dags.adapters.snowflake").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def copy_into(topic: str, files: Sequence[str], stage_path: str) -> str:
    """COPY of named files into the topic's RAW table. `stage_path` and `files` are made of keys that were parsed.

    FORCE: the ledger decides what is loaded, not COPY's own memory of 64 days.
    """
    if not 0 < len(files) <= FILES_PER_COPY:
        raise ValueError(f"a COPY takes 1 to {FILES_PER_COPY} files, not {len(files)}")
    named = ", ".join(f"'{file}'" for file in files)
    return (
        f"COPY INTO {RAW_SCHEMA}.{RAW_TABLE_BY_TOPIC[topic]} FROM {STAGE_NAME}/{stage_path}/ FILES = ({named}) "
        "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE "
        "ON_ERROR = ABORT_STATEMENT FORCE = TRUE"
    )


def counted_ends(segments: Sequence[Landed]) -> tuple[str, list[object]]:
    """Query which segments of a chain of the transaction topic hold an END that counts a RAW table; with its values."""
    counts = " OR ".join("COLLECTIONS LIKE %s" for _ in TABLES)
    statement = (
        f"SELECT DISTINCT _CDC_SEGMENT FROM {RAW_SCHEMA}.{SOURCE_TRANSACTIONS} "  # noqa: S608 - names of a closed set
        "WHERE _CDC_PARTITION = %s AND _CDC_OFFSET >= %s AND _CDC_OFFSET < %s "
        f"AND STATUS = 'END' AND ({counts})"
    )
    first, last = segments[0], segments[-1]
    values: list[object] = [first.key.partition, first.metadata.start, last.metadata.end]
    return statement, [*values, *(f'%"{table.qualified_name}"%' for table in TABLES)]


def put(local_pattern: str, stage_path: str) -> str:
    """PUT of one folder's files. OVERWRITE: a retried PUT of the same name is harmless.

    SOURCE_COMPRESSION: to guess it the connector reads the machine's list of MIME types, for each file anew.
    """
    return (
        f"PUT 'file://{local_pattern}' {STAGE_NAME}/{stage_path}/ "
        "OVERWRITE = TRUE AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE PARALLEL = 4"
    )


def remove(stage_path: str) -> str:
    """REMOVE of everything below a path of the stage."""
    return f"REMOVE {STAGE_NAME}/{stage_path}/"
