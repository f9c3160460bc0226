"""Keeps Airflow's own tables and its task logs small: a task has no access to the database, so the parent does it."""

import asyncio
import contextlib
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bank_common.runtime.logging import get_logger
from bank_dags.scheduling.lifeline import Family

INTERVAL_SECONDS: Final = 3600.0
_FIRST_SECONDS: Final = 600.0
_BATCH: Final = 5000
# What grows with runs. Not `dag`: where the DAG processor has been down for long, all of it looks old.
TABLES: Final = (
    "asset_event",
    "callback",
    "dag_run",
    "import_error",
    "job",
    "log",
    "revoked_token",
    "task_instance",
    "task_instance_history",
    "xcom",
)
_POLL_SECONDS: Final = 1.0

log = get_logger(__name__)


def clean_command(keep: timedelta, now: datetime) -> list[str]:
    """`airflow db clean` for everything older than `keep`; the newest run of each DAG stays in any case."""
    until = (now - keep).isoformat()
    what = ["--tables", ",".join(TABLES), "--clean-before-timestamp", until]
    how = ["--skip-archive", "--batch-size", str(_BATCH), "--error-on-cleanup-failure", "--yes"]
    return [sys.executable, "-m", "airflow", "db", "clean", *what, *how]


def remove_logs(folder: Path, keep: timedelta, now: float) -> int:
    """Remove log files last written before `now` (seconds since 1970) minus `keep`, and the folders left empty."""
    removed = 0
    for path in sorted(folder.rglob("*"), reverse=True):
        with contextlib.suppress(OSError):  # written or removed meanwhile
            if path.is_dir():
                path.rmdir()
            elif path.stat().st_mtime < now - keep.total_seconds():
                path.unlink()
                removed += 1
    return removed


async def keep_small(family: Family, keep: timedelta, logs: Path) -> None:
    """Once an hour, for ever; a failure is logged and tried again an hour later. Nothing waits for it."""
    await asyncio.sleep(_FIRST_SECONDS)
    while True:
        process = family.start(clean_command(keep, datetime.now(UTC)))
        while process.poll() is None:  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(_POLL_SECONDS)
        removed = await asyncio.to_thread(remove_logs, logs, keep, time.time())
        if process.returncode:
            log.error("history_not_cleaned", exit_code=process.returncode)
        else:
            log.info("history_cleaned", keep_hours=keep.total_seconds() / 3600, log_files=removed)
        await asyncio.sleep(INTERVAL_SECONDS)
