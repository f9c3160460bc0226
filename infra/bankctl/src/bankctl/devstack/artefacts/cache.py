"""The cache that checkouts share: one writer at a time per entry."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusively(entry: Path) -> Iterator[None]:
    """Hold the lock of a cache entry; a second checkout waits here until the first has filled it."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    with entry.with_name(f"{entry.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
