"""A lock file that a build's processes hold as long as one of them lives: who gets it knows that they are dead."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class BuildLock:
    """An open lock file, never waited for: the fence keeps builds apart, this proves an owner's death at once."""

    def __init__(self, descriptor: int) -> None:
        """Takes the open file; dbt inherits it, so a dbt that outlives its task still holds the lock."""
        self.descriptor = descriptor

    def name(self) -> str | None:
        """Take the lock if nobody else holds it, and name the file and the running kernel; None when somebody does."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        status = os.fstat(self.descriptor)
        return f"{BOOT_ID.read_text(encoding='ascii').strip()}:{status.st_dev}:{status.st_ino}"


@contextmanager
def build_lock(state_dir: Path) -> Generator[BuildLock]:
    """The state directory's lock file, open until the end of the block."""
    state_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(state_dir / "build.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield BuildLock(descriptor)
    finally:
        os.close(descriptor)
