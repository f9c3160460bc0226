"""Airflow's metadata database as the scheduler's parent sees it: two statements, each with a deadline of its own."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from typing import Final

import asyncpg

from bank_common.runtime.errors import PipelineError
from bank_dags.scheduling.stillness import Look

SECONDS: Final = 4
_VARIABLE: Final = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
_LOOK: Final = """
select job.latest_heartbeat::text,
       array(select id::text || '/' || try_number from task_instance
             where state = 'queued' and queued_by_job_id = job.id),
       (select count(*) from task_instance where state = 'running' and queued_by_job_id = job.id)
from job where id = $1
"""


class UnreachableError(Exception):
    """The database did not answer in time, or refused."""


def dsn(environment: Mapping[str, str] = os.environ) -> str:
    """Airflow's own connection string, as a Postgres client reads it.

    Raises:
        PipelineError: neither the variable nor its `_CMD` form is set, or the command failed.
    """
    url = environment.get(_VARIABLE)
    if url is None and (command := environment.get(f"{_VARIABLE}_CMD")):
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        url = done.stdout.strip() if done.returncode == 0 else None
    if not url:
        raise PipelineError(
            "The metadata database is not known.",
            advice=f"Set {_VARIABLE} or {_VARIABLE}_CMD. Runbook: infra/runbooks/deploy-one-service.md.",
        )
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


class Metadata:
    """A connection, made when it is needed and made again after any failure."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None

    async def newest_job(self) -> int:
        """The id of the newest scheduler job, 0 without one."""
        row = await self._row("select coalesce(max(id), 0) from job where job_type = 'SchedulerJob'")
        return row[0] if row else 0

    async def look(self, job: int) -> Look | None:
        """Look at a scheduler job; None when there is none with this id.

        Raises:
            UnreachableError: no answer.
        """
        row = await self._row(_LOOK, job)
        return Look(row[0], row[1], row[2]) if row is not None else None

    async def end_job(self, job: int) -> None:
        """Mark a job whose processes are gone as failed: the next scheduler takes its tasks over at once."""
        await self._row("update job set state = 'failed', end_date = now() where id = $1 and state = 'running'", job)

    async def close(self) -> None:
        """Drop the connection without asking the server."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _row(self, statement: str, *values: object) -> asyncpg.Record | None:
        try:
            connection = self._connection
            if connection is None or connection.is_closed():
                connection = await asyncpg.connect(self._url, timeout=SECONDS, command_timeout=SECONDS)
                self._connection = connection
            return await connection.fetchrow(statement, *values)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            await self.close()
            raise UnreachableError(f"{type(error).__name__}: {error}") from error
