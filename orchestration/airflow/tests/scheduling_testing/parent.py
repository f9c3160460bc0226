"""`python -m scheduling_testing.parent FOLDER`: the real parent, with short bounds, over a scheduler made of sleeps.

FOLDER/database holds the stored heartbeat; without it the database is away. FOLDER/queued: one waiting try a line.
FOLDER/api: the API server answers. The scheduler and its two descendants leave their PIDs in FOLDER.
"""

import asyncio
import sys
from pathlib import Path

from bank_dags.scheduling import parent, stillness
from bank_dags.scheduling.lifeline import Family
from bank_dags.scheduling.metadata import UnreachableError
from bank_dags.scheduling.parent import Home, Parent
from bank_dags.scheduling.stillness import Look

JOB = 7
SCHEDULER = """
import os, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
worker = subprocess.Popen(["sleep", "600"], process_group=0)
stray = subprocess.Popen(["sleep", "600"], start_new_session=True)
for name, pid in (("stray", stray.pid), ("worker", worker.pid), ("scheduler", os.getpid())):
    (folder / name).write_text(str(pid))
time.sleep(600)
"""


class FileMetadata:
    """`Metadata` over the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _heartbeat(self) -> str:
        try:
            return (self.folder / "database").read_text()
        except FileNotFoundError:
            raise UnreachableError("away") from None

    async def newest_job(self) -> int:
        """The scheduler registers as soon as it runs."""
        self._heartbeat()
        return JOB if (self.folder / "scheduler").exists() else 0

    async def look(self, job: int) -> Look:
        """See `Metadata`."""
        assert job == JOB
        return Look(self._heartbeat(), (self.folder / "queued").read_text().split(), 0)

    async def end_job(self, job: int) -> None:
        """See `Metadata`."""
        self._heartbeat()
        (self.folder / "ended").write_text(str(job))


async def main(folder: Path) -> int:
    """The parent's exit code."""
    stillness.HEARTBEAT_SECONDS = stillness.QUEUED_SECONDS = 0.5  # pyright: ignore[reportAttributeAccessIssue]
    parent.STOP_SECONDS = 1.0  # pyright: ignore[reportAttributeAccessIssue]
    parent.LOOK_SECONDS = parent._POLL_SECONDS = 0.05  # pyright: ignore[reportAttributeAccessIssue]

    async def beside() -> None:
        await asyncio.sleep(600)

    return await Parent(
        [sys.executable, "-c", SCHEDULER, str(folder)],
        Family(),
        FileMetadata(folder),  # pyright: ignore[reportArgumentType]
        Home(folder / "home"),
        slots=4,
        api_answers=(folder / "api").exists,
        beside=beside,
    ).run()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
