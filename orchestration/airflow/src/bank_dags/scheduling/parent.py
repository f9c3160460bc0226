"""The scheduler's parent: starts it, watches it, and ends all of it when it stands still.

It never starts a second scheduler: what runs the parent (compose, Kubernetes, `bank up --watch`) starts it again.
"""

import asyncio
import contextlib
import fcntl
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from bank_common.runtime.errors import PipelineError
from bank_common.runtime.logging import get_logger
from bank_dags.scheduling.lifeline import Family
from bank_dags.scheduling.metadata import Metadata, UnreachableError
from bank_dags.scheduling.stillness import Stillness

LOOK_SECONDS: Final = 3.0
STOP_SECONDS: Final = 8.0
"""From SIGTERM to SIGKILL; the scheduler gives its tasks 5 s of these."""
KILL_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.5

log = get_logger(__name__)


@dataclass
class Home:
    """The folder of one parent: its lock, and the job that its scheduler registered."""

    folder: Path

    def lock(self) -> IO[str]:
        """Hold it for as long as the parent lives; the kernel frees it, whatever ends the parent.

        Raises:
            PipelineError: another parent lives on this folder.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = (self.folder / "scheduling.lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PipelineError(
                f"Another scheduler runs on {self.folder}.",
                advice=f"`fuser {handle.name}` names it; end it, or give this one another AIRFLOW_HOME.",
            ) from None
        return handle

    @property
    def job(self) -> int | None:
        """The job of the last scheduler here; it is dead when the lock is ours."""
        try:
            return int(self._record.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    @job.setter
    def job(self, job: int) -> None:
        self._record.write_text(str(job), encoding="utf-8")

    @property
    def _record(self) -> Path:
        return self.folder / "scheduling.job"


@dataclass
class Parent:
    """The parent of one scheduler; `run` returns the exit code."""

    command: Sequence[str]
    family: Family
    metadata: Metadata
    home: Home
    slots: int
    api_answers: Callable[[], bool]
    beside: Callable[[], Coroutine[None, None, None]]
    """What goes on beside a living scheduler; cancelled with its end."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> int:
        """0 when it was asked to end, 1 when the scheduler ended by itself or had to be ended."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        self.family.adopt_orphans()
        with self.home.lock():
            before = await self._job_before()
            if before is None:
                return 0
            process = self.family.start(self.command)
            log.info("scheduler_started", pid=process.pid)
            beside = asyncio.create_task(self.beside())
            try:
                reason = await self._watch(process, before)
            finally:
                beside.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await beside
                self._end(process)
            if reason is None:
                log.info("scheduler_stopped")
                return 0
            with contextlib.suppress(UnreachableError):  # the next parent says it
                await self._end_job()
            log.error("scheduler_ended", reason=reason, exit_code=process.returncode)
            return 1

    async def _job_before(self) -> int | None:
        """The newest job before ours, once the database answers; None when asked to stop meanwhile."""
        said = 0.0
        while not self.stopping.is_set():
            try:
                await self._end_job()
                return await self.metadata.newest_job()
            except UnreachableError as error:
                if time.monotonic() - said >= 10:
                    said = time.monotonic()
                    log.warning("metadata_database_awaited", reason=str(error))
            await self._pause(1.0)
        return None

    async def _watch(self, process: subprocess.Popen[bytes], before: int) -> str | None:
        """Watch until it is over, and return why; None when asked to stop."""
        stillness, job, seen = Stillness(self.slots), None, time.monotonic()
        while not self.stopping.is_set():
            await self._pause(_POLL_SECONDS)
            self.family.reap()
            if process.poll() is not None:
                return "it ended by itself"
            if time.monotonic() - seen < LOOK_SECONDS:
                continue
            try:
                if job is None and (newest := await self.metadata.newest_job()) > before:
                    self.home.job = job = newest
                look = await self.metadata.look(job) if job is not None else None
            except UnreachableError as error:
                # Without its database it can write no heartbeat: nothing was seen.
                log.warning("metadata_database_unreachable", reason=str(error))
                seen = time.monotonic()
                continue
            now = time.monotonic()
            stillness.seen(look, now - seen)
            seen = now
            if reason := stillness.heart_stopped:
                return reason
            if reason := stillness.tasks_stuck:
                if await asyncio.to_thread(self.api_answers):
                    return reason
                log.warning("api_server_awaited", reason=reason)
                stillness.forgive_queued()
        return None

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if self.stopping.is_set() and process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        if not self.family.kill(KILL_SECONDS):
            log.error("processes_left")
        process.poll()

    async def _end_job(self) -> None:
        if (job := self.home.job) is not None:
            await self.metadata.end_job(job)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
